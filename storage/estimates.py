"""Corrections of our estimates, shared by all processes."""

from __future__ import annotations

from engine.estimates import Correction, Corrections, ModelKey
from storage.session import Session, moment_or_none


class Estimates:
    """EstimatesTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def corrections(self) -> Corrections:
        return {
            (row["provider"], row["vendor_id"]): Correction(
                row["text"], row["images"], moment_or_none(row["lowered_at"])
            )
            for row in self._session.all("corrections")
        }

    def correct(self, model: ModelKey, before: Correction, after: Correction) -> None:
        provider, vendor_id = model
        named = {"provider": provider, "vendor_id": vendor_id}
        if after.lowered_at == before.lowered_at:
            self._session.run("raise_estimate", text=after.text, images=after.images, **named)
            return
        self._session.run(
            "lower_estimate",
            text=after.text,
            images=after.images,
            lowered_at=after.lowered_at,
            text_before=before.text,
            images_before=before.images,
            **named,
        )
