"""One rollout of a task for trainers that write the messages themselves."""

from __future__ import annotations

from coopgym.algorithms.llm.play.sessions import SeatSession
from coopgym.algorithms.llm.play.tasks import Task


class TextRollout:
    """The decisions of a task, in the order in which they come up.

    Args:
        task: what is played.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.session = SeatSession(task.open(), task.seat)

    @property
    def prompt(self) -> str:
        """The prompt of the latest decision."""
        return self.session.dialogues[-1].prompt

    @property
    def done(self) -> bool:
        """Whether all decisions are made."""
        return not self.session.waiting

    @property
    def worth(self) -> float:
        """What the rollout came to; nothing if it ended before its decisions were made."""
        if not self.done:
            return self.task.unanswered().outcome
        answers = tuple(dialogue.level for dialogue in self.session.dialogues)
        return self.task.judge(self.session.match.outcome(self.task.seat), answers).outcome

    @property
    def problems(self) -> int:
        """Messages that could not be read or carried out."""
        return sum(dialogue.problems for dialogue in self.session.dialogues)

    def hear(self, text: str) -> str | None:
        """Take a message of the model, and return what it reads next: an answer, the next prompt, or nothing more."""
        reply = self.session.send(text)
        if reply.text is not None:
            return reply.text
        return None if self.done else self.prompt
