"""How a credential is signed in with: one file a kind."""
