"""Writes what alerts look like into a folder: emails and chat texts, made by the real parts from a small record.

    python -m scripts.alert_samples FOLDER

It makes a database of its own, reads prices into it as a feed would, and lets a watch, a digest and a watch on a bill
tell of what moved. With a Chromium on the PATH each email is there as a picture, too, on a desk and on a phone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.run_tests import find_browser

if TYPE_CHECKING:
    from pricing.models import Offering

WIDTHS = {"desk": 720, "phone": 390}
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage")
METERS = ("input_tokens", "cache_read_tokens", "output_tokens")
# What a million tokens cost at each seller, before and after, by METERS; Mistral announces it for a month later.
SHEETS = (
    ("deepseek", "DeepSeek", "deepseek-v4-pro", "DeepSeek V4 Pro", "0.435 0.0362 0.87", "0.66 0.055 1.32"),
    ("openrouter", "OpenRouter", "deepseek/deepseek-v4-pro", "DeepSeek V4 Pro", "0.45 0.04 0.9", "0.45 0.04 0.9"),
    ("openai", "OpenAI", "gpt-6-mini", "GPT-6 mini", "0.4 0.04 3.2", "0.3 0.03 2.4"),
    ("mistral", "Mistral AI", "mistral-large-4", "Mistral Large 4", "2 0.2 6", "2 0.2 5"),
)
USAGE = {
    "deepseek": {"input_tokens": "1200000000", "cache_read_tokens": "700000000", "output_tokens": "90000000"},
    "openai": {"input_tokens": "310000000", "output_tokens": "44000000"},
}


def main(folder: Path) -> None:
    """Make the record, let it be told, write what was said, and picture it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="samples-") as record:
        _set_up(record)
        _let_prices_move()
        names = list(_write_messages(folder))
    browser = find_browser()
    for name in names if browser else ():
        for place, width in WIDTHS.items():
            _picture(str(browser), folder, name, place, width)
    print(f"{len(names)} messages are in {folder}" + ("" if browser else "; no browser was found for pictures"))


def _set_up(record: str) -> None:
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tracker.settings", "ENV_FILE": "", "DATA_DIR": record}
    os.environ |= {"DATABASE_URL": "", "REDIS_URL": "", "LOG_LEVEL": "ERROR", "SITE_URL": "https://prices.example.org"}
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _let_prices_move() -> None:
    """Read each seller's sheet twice, ten days apart, with watches made between."""
    from django.utils import timezone

    from companies.models import AIModel, Company

    now = timezone.now()
    sold = {}
    for slug, name, external_id, model, *_ in SHEETS:
        seller, _made = Company.objects.get_or_create(slug=slug, defaults={"name": name, "kind": "lab"})
        ai_model, _made = AIModel.objects.get_or_create(slug=model.lower().replace(" ", "-"), defaults={"name": model})
        sold[slug] = _offering(seller, ai_model, external_id, now)
    _read(sold, now - timedelta(days=10), place=4)
    _watch(sold)
    _read(sold, now - timedelta(minutes=1), place=5)


def _offering(seller: Any, model: Any, external_id: str, now: datetime) -> Offering:
    from pricing.models import Offering, Reference, Source

    source, _made = Source.objects.get_or_create(slug="models-dev", defaults={"name": "models.dev", "precedence": 30})
    offering = Offering.objects.create(
        seller=seller, model=model, external_id=external_id, identity_key=external_id, name=model.name
    )
    Reference.objects.create(
        source=source, provider=seller.slug, external_id=external_id, offering=offering, first_seen_at=now
    )
    return offering


def _read(sold: dict[str, Offering], at: datetime, place: int) -> None:
    from pricing import ledger
    from pricing.claims import Claim, Conditions
    from pricing.models import Source

    def claims(slug: str, before: str, after: str) -> Iterator[Claim]:
        turns = at + timedelta(days=30) if slug == "mistral" and place == 5 else None
        for meter, old, new in zip(METERS, before.split(), after.split(), strict=True):
            line = Conditions(meter)
            if turns is None or old == new:
                yield Claim(line, Decimal(old if place == 4 else new))
                continue
            yield Claim(line, Decimal(old), effective_until=turns)
            yield Claim(line, Decimal(new), effective_from=turns, precision="exact")

    told = []
    for sheet in SHEETS:
        offering = sold[sheet[0]]
        told.append(ledger.Told(offering.references.get().pk, offering.pk, list(claims(sheet[0], sheet[4], sheet[5]))))
    ledger.observe(ledger.Reading(Source.objects.get(slug="models-dev"), at, f"read at {at}"), told)


def _watch(sold: dict[str, Offering]) -> None:
    """Three watches of one owner with a usage profile, each with an address of its own."""
    from accounts.models import User
    from alerts.bills.watching import begin_watching
    from alerts.fan_out import fan_out_changes
    from alerts.models import Channel, ProfileAdjustment, ProfileLine, UsageProfile, Watch

    owner = User.objects.create(username="olga")
    profile = UsageProfile.objects.create(owner=owner, name="Production")
    for slug, usage in USAGE.items():
        ProfileLine.objects.create(profile=profile, offering=sold[slug], usage=usage, requests=400_000)
    ProfileAdjustment.objects.create(profile=profile, kind="discount", seller=sold["openai"].seller, percent=10)
    wanted: dict[str, dict[str, Any]] = {
        "alert": {"name": "Dearer models", "direction": "up", "min_percent": 5},
        "digest": {"name": "All prices", "cadence": "daily"},
        "bill": {"name": "Production's bill", "bill_percent": 5},
    }
    for name, values in wanted.items():
        watch = Watch.objects.create(owner=owner, profile=profile, **values)
        address = f"{name}@example.org"
        channel = {"address": address, "shown_address": address, "verified_at": watch.created_at}
        watch.channels.add(Channel.objects.create(owner=owner, kind="email", name=name, **channel))
        begin_watching([watch])
    fan_out_changes()


def _write_messages(folder: Path) -> Iterator[str]:
    """The email of each watch as HTML and text, and the same for a chat; gives their names."""
    from django.utils import timezone

    from alerts.channels.apprise.transport import text_of
    from alerts.channels.email.texts import message_of
    from alerts.composing import compose_due
    from alerts.envelopes import envelope_of
    from alerts.fan_out import fan_out_changes
    from alerts.models import Delivery
    from alerts.wording import words_of

    fan_out_changes()
    compose_due(timezone.now() + timedelta(days=2))
    for delivery in Delivery.objects.select_related("channel").order_by("id"):
        message, name = message_of(envelope_of(delivery)), delivery.channel.name
        words = words_of(delivery.subject, delivery.body)
        (folder / f"{name}.html").write_text(str(message.alternatives[0][0]))
        (folder / f"{name}.txt").write_text(f"Subject: {message.subject}\n\n{message.body}")
        (folder / f"{name}-chat.txt").write_text(f"{words.title}\n{text_of(words)}\n")
        yield name


def _picture(browser: str, folder: Path, name: str, place: str, width: int) -> None:
    page, picture = folder / f"{name}.html", folder / f"{name}-{place}.png"
    with tempfile.TemporaryDirectory(prefix="browser-") as profile:
        size = f"--window-size={width},{_height(browser, page, width, profile)}"
        command = [browser, *QUIET, f"--user-data-dir={profile}", size, f"--screenshot={picture}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=90)


def _height(browser: str, page: Path, width: int, profile: str) -> int:
    """How high the page is at that width, as a script says in the document that the browser prints."""
    asking = page.with_suffix(".asking.html")
    # A browser lays out no narrower than 500 pixels when it prints a document; an element may be as narrow as it likes.
    script = (
        f"<script>document.documentElement.style.width = '{width}px';"
        "document.title = 'height ' + document.documentElement.offsetHeight</script></body>"
    )
    asking.write_text(page.read_text().replace("</body>", script))
    command = [browser, *QUIET, f"--user-data-dir={profile}", f"--window-size={width},200", "--dump-dom"]
    printed = subprocess.run([*command, asking.as_uri()], check=True, capture_output=True, text=True, timeout=90).stdout
    asking.unlink()
    return int(printed.partition("<title>height ")[2].partition("<")[0] or 1200)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where to: python -m scripts.alert_samples FOLDER")
    main(Path(sys.argv[1]))
