"""The parser processes: started, limited, watched and replaced."""
