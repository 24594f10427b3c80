"""What every screen over a view is: it answers once, whatever keys reach it after that."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen, ScreenResultType


class AnswersOnce(Screen[ScreenResultType]):
    """Returns one answer. Keys of one burst may reach a dialog that has answered, or that another one is over.

    Textual takes the screen on top away, whichever that is: the second Enter would take the view, and end the program
    where there is none below. Here the first answer counts; one that is given below another dialog waits for that.
    """

    _answers: tuple[ScreenResultType | None, ...] = ()
    _is_closed = False

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Return an answer, once."""
        self._answers = self._answers or (result,)
        if self._is_closed or self.app.screen is not self:
            return AwaitComplete()
        self._is_closed = True
        return super().dismiss(self._answers[0])

    def on_screen_resume(self) -> None:
        """Return the answer that was given while another dialog was over this one."""
        if self._answers:
            self.dismiss()


# The class of the library first: Textual takes styles from the first base alone.
class Dialog(ModalScreen[ScreenResultType], AnswersOnce[ScreenResultType]):
    """A dialog over a view."""
