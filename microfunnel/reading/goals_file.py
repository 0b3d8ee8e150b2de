"""The goals file becomes `Goals`, or one error that lists every mistake in it with its line."""

from pathlib import Path

from pydantic import ValidationError

from microfunnel.goals import Goals
from microfunnel.reading.goals_mistakes import Finding, model_findings, where
from microfunnel.reading.step_mistakes import step_findings
from microfunnel.reading.yaml_file import Document, Mistake, mistakes_error, read_yaml


def read_goals(path: Path) -> Goals:
    """The goals and funnels of a file; a `GoalsError` lists all its mistakes."""
    document = read_yaml(path)
    if not isinstance(document.content, dict):
        raise mistakes_error(path, [Mistake(document.place(()), _no_mapping(document))])
    goals, error = _validated(document)
    findings = [*step_findings(document.content), *model_findings(error, document.content, document.empty)]
    if goals is None or findings or document.mistakes:
        raise mistakes_error(path, [*document.mistakes, *(_mistake(document, finding) for finding in findings)])
    return goals


def _validated(document: Document) -> tuple[Goals | None, ValidationError | None]:
    try:
        return Goals.model_validate(document.content), None
    except ValidationError as error:
        return None, error


def _no_mapping(document: Document) -> str:
    found = {list: "a list", type(None): "nothing"}.get(type(document.content), "a single value")
    return f"the file holds {found}, expected `version`, `goals` and `funnels`"


def _mistake(document: Document, finding: Finding) -> Mistake:
    inside = where(finding.path[:-1] if finding.of_key else finding.path)
    message = f"{inside}: {finding.message}" if inside else finding.message
    return Mistake(document.place(finding.path, of_key=finding.of_key or finding.of_block), message)
