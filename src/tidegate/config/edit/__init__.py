"""Editing the text of a configuration: changes of values, masked secrets, the visual editor's form. No I/O."""
