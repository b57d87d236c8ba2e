"""The language server: the protocol and the editor's view of the engine. It knows no other front door."""
