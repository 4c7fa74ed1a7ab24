"""May this call be recorded? Asked once, by voice; only a plain yes is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.understanding.understand import Interpreter
from channels.voice.recording import Recorder
from core.runtime import Runtime
from core.security import Principal
from services.privacy.consents import consent_texts, give_consent, has_consent

KIND = "voice_recording"
MAXIMUM_WORDS = 10
LEAST_CONFIDENCE = 0.5


@dataclass(frozen=True)
class Taken:
    """What an answer to the question came to; `rest` is what else was said with it."""

    answer: Literal["yes", "no"] | None
    rest: str


class RecordingConsent:
    """The caller's consent to this call's recording, and the recorder that depends on it.

    `wanted` None: ask, unless there is a consent; True: the caller has agreed before the call.
    """

    def __init__(
        self, runtime: Runtime, principal: Principal, recorder: Recorder, wanted: bool | None
    ) -> None:
        self._runtime = runtime
        self._principal = principal
        self._recorder = recorder
        self._wanted = wanted
        self.is_asked = False

    async def open(self, language: str) -> None:
        """Start recording where the caller has agreed; else `is_asked` says whether to ask."""
        if self._wanted is False:
            return
        organization_id = self._principal.organization_id
        async with self._runtime.database.reading(organization_id) as transaction:
            agreed = await has_consent(transaction, self._principal, KIND)
        if self._wanted and not agreed:
            await self._agree(language)
        if self._wanted or agreed:
            self._recorder.start()
        else:
            self.is_asked = True

    async def take(self, text: str, language: str) -> Taken:
        """Take what was said after the question; who asks something else is not recorded."""
        self.is_asked = False
        first, _, rest = text.partition(".")
        read = await self._runtime.part(Interpreter).understand(
            first, language, self._principal.organization_id
        )
        if len(first.split()) > MAXIMUM_WORDS or read.confidence < LEAST_CONFIDENCE:
            return Taken(None, text)
        rest = rest.strip() if len(rest.split()) > 1 else ""
        if read.intent == "affirm":
            await self._agree(language)
            self._recorder.start()
            return Taken("yes", rest)
        return Taken("no", rest) if read.intent == "deny" else Taken(None, text)

    async def _agree(self, language: str) -> None:
        version = consent_texts()[KIND].version
        now = self._runtime.clock()
        async with self._runtime.database.transaction(
            self._principal.organization_id
        ) as transaction:
            await give_consent(transaction, self._principal, KIND, version, language, now)
