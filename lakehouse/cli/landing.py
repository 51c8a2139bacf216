"""Commands that bring sample data to the landing zone: generate, replay."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ingestion.landing.s3 import SCHEME
from lakehouse.cli.app import LandingOption, SourceOption, app, console, read_settings
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.terminal import say


@app.command()
def generate(
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
    scale: Annotated[float, typer.Option(help="1 is 60,000 sales and 10,000 order lines.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    deliveries: Annotated[int, typer.Option(help="Deliveries: the first one and later ones.")] = 1,
    source: SourceOption = None,
    push: Annotated[
        Literal["shopify", "stripe"] | None,
        typer.Option(help="Send customers, products, orders or payments to a test account of it instead."),
    ] = None,
) -> None:
    """Write sample data for every source, or send it to a test account."""
    from sampledata import generate as generate_files

    if push is not None and out is None:
        _push(push, scale, seed)
        return
    if out is None or push is not None:
        raise UsageError("Give --out to write files, or --push to send to a test account.")
    try:
        files = generate_files(out, scale, seed, source, deliveries=deliveries)
    except ValueError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror}") from None
    size = sum(file.stat().st_size for file in files)
    say(console, f"{len(files)} files, {size / 1e6:,.1f} MB in {out}")


def _push(vendor: str, scale: float, seed: int) -> None:
    """Send the online business; what was sent before stays as it is."""
    from ingestion.connectors.stream import ExtractError
    from sampledata.company import Company
    from sampledata.push import PushError, push, shopify, stripe
    from sampledata.sampling import Streams

    settings, company = read_settings(), Company(Streams(seed), scale, 1)
    account: shopify.ShopifyAccount | stripe.StripeAccount
    try:
        if vendor == "shopify":
            account = shopify.ShopifyAccount(settings.named(shopify.SETTINGS), seed)
            items = shopify.items(company)
        else:
            account = stripe.StripeAccount(settings.named(stripe.SETTINGS), seed)
            items = stripe.items(company)
    except (PushError, ExtractError) as error:
        raise UsageError(f"{error}.") from None
    try:
        with console.status("") as status:
            done = push(
                items,
                account,
                lambda p: status.update(f"{p.kind}: {p.created:,} created, {p.known:,} known"),
            )
    except (PushError, ExtractError) as error:
        raise LakehouseError(f"{error}. The same command goes on where it stopped.") from None
    finally:
        account.close()
    for pushed in done:
        console.print(f"{pushed.kind}: {pushed.created:,} created, {pushed.known:,} were there.")


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Recorded files of the gyms, or of clicks.")],
    to: Annotated[
        Literal["kafka", "landing"], typer.Option(help="Where messages go; CSV files always land.")
    ],
    speed: Annotated[float, typer.Option(help="1 is real time, 60 a minute per second, 0 no waiting.")] = 1.0,
    landing: LandingOption = None,
) -> None:
    """Send recorded files of the gyms, or of clicks, as a live stream: over Kafka or as files."""
    from ingestion.kafka import KafkaUnavailable
    from sampledata.replay import ReplayError, replay_to_kafka, replay_to_landing

    settings = read_settings(LAKEHOUSE_LANDING=landing)
    if settings.landing.startswith(SCHEME):
        raise UsageError(f"Replayed files go to a folder; give one with --landing, not {settings.landing}.")
    target = Path(settings.landing)
    try:
        if to == "landing":
            summary = replay_to_landing(folder, target, speed)
        elif settings.kafka is None:
            raise UsageError(
                "LAKEHOUSE_KAFKA is not set: give Kafka's address, host:port. `make kafka` runs a broker."
            )
        else:
            summary = replay_to_kafka(folder, settings.kafka_access, target, speed)
    except (ValueError, KafkaUnavailable) as error:
        raise UsageError(str(error)) from None
    except (ReplayError, OSError) as error:
        raise LakehouseError(str(error)) from None
    console.print(f"{summary}.")
