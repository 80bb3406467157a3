"""The room of models: every vendor's stream becomes one kind of answer."""
