"""What goes through the database, by the fields of models."""

from __future__ import annotations

from following import expected, places, solved

DJANGO = {
    "models.py": """\
from django.db import models

class Comment(models.Model):
    body = models.TextField()
    title = models.TextField()
""",
    "views.py": """\
import os
from django.http import HttpResponse
from django.urls import path
from models import Comment

def add(request):
    Comment.objects.create(body=request.POST["body"], title="x")
    return HttpResponse("ok")

def show(request, pk):
    comment = Comment.objects.get(pk=pk)
    return HttpResponse("<p>" + comment.body + comment.title)  # !xss

def title(request, pk):
    return HttpResponse("<p>" + Comment.objects.get(pk=pk).title)

def all(request):
    for comment in Comment.objects.filter(title="y").order_by("title"):
        os.system(comment.body)  # !command
        os.system(comment.title)
    return HttpResponse("ok")

urlpatterns = [path("a", add), path("s/<int:pk>", show), path("t/<int:pk>", title), path("l", all)]
""",
}
FLASK = {
    "shop.py": """\
from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)

class Item(db.Model):
    name = db.Column(db.String)

@app.post("/a")
def add():
    db.session.add(Item(name=request.form["name"]))
    return "ok"

@app.get("/b/<int:n>")
def show(n):
    return "<b>" + Item.query.get(n).name  # !xss
""",
}


def test_a_field_is_followed_from_where_it_is_stored_to_where_it_is_read() -> None:
    for project in (DJANGO, FLASK):
        assert places(solved(project, {"threats": ["remote", "stored"]})) == expected(project)


def test_fields_are_followed_only_where_that_is_asked_for() -> None:
    for project in (DJANGO, FLASK):
        assert places(solved(project)) == set()
