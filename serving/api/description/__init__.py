"""The interface's description (OpenAPI): what routes do not say by themselves, and a correct example of everything.

`routes.py` is the table of all routes: who may call them and what can go wrong. `examples.py` holds one
value of every kind that is sent or answered, from the story of one visit. `document.py` puts both into what
FastAPI has read from the code.
"""
