"""Verdicts over time: operators, windows, predictions, hints."""

from __future__ import annotations

from sandbox.record.checks.compiling import ExerciseInvalid, ExerciseProblem, compile_exercise
from sandbox.record.checks.engine import Engine
from sandbox.record.checks.state import SandboxFacts, StateView
from sandbox.record.checks.verdict import Because, Finding, Verdict

__all__ = [
    "Because",
    "Engine",
    "ExerciseInvalid",
    "ExerciseProblem",
    "Finding",
    "SandboxFacts",
    "StateView",
    "Verdict",
    "compile_exercise",
]
