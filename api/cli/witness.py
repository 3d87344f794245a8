"""Commands of those who witness others: witness init, serve, new-state, refused."""

import base64
from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import FOUND, note, say, say_json
from api.witness.config import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    config_text,
    new_private_file,
    read_config,
)
from api.witness.state import WitnessState
from signing.cosignatures import generate_mldsa_pem, load_cosigner, load_log_verifier
from signing.keys import SoftKey

witness_app = typer.Typer(
    name="witness",
    help="Witness the ledgers of other institutions (c2sp.org/tlog-witness); see docs/witness.md.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
ConfigOption = Annotated[Path, typer.Option(help="The witness's configuration file.")]
_DEFAULT_CONFIG = Path("witness.toml")


@witness_app.command()
def init(
    name: Annotated[str, typer.Option(help="Name, such as witness.hospital-b.example/w1.")],
    log: Annotated[list[str] | None, typer.Option(help="Verifier key of a ledger.")] = None,
    folder: Annotated[Path, typer.Option(help="Where to put its three files.")] = Path(),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = DEFAULT_PORT,
    ml_dsa: Annotated[bool, typer.Option(help="Use a post-quantum key (ML-DSA-44).")] = False,
) -> None:
    """Make a key, a configuration and an empty state; print the line for others' policies."""
    vkeys = [str(load_log_verifier(vkey).vkey) for vkey in log or ()]
    pem = generate_mldsa_pem() if ml_dsa else SoftKey.generate("EdDSA").to_pem(None)
    verifier = load_cosigner(name, pem).verifier
    folder.mkdir(parents=True, exist_ok=True)
    new_private_file(folder / "witness.pem", pem)
    WitnessState.create(folder / "witness.sqlite")
    text = config_text(name=name, host=host, port=port, logs=vkeys)
    new_private_file(folder / _DEFAULT_CONFIG, text.encode())
    note(f"serve with: clinledger witness serve --config {folder / _DEFAULT_CONFIG}")
    note("for the policies of those whom you witness, with your own name and URL:")
    say(f"witness W1 {verifier.vkey} http://{host}:{port}/")


@witness_app.command()
def serve(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Serve until interrupted; refuses to start when its state file is missing."""
    from api.witness.run import serve_witness  # noqa: PLC0415 - the web stack is slow to import

    serve_witness(config, on_ready=say)


@witness_app.command("new-state")
def new_state(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Make an empty state file. A key that has cosigned before must not be used with it."""
    path = config.parent / read_config(config).state_file
    WitnessState.create(path)
    say(f"{path} is new and empty")


@witness_app.command()
def refused(config: ConfigOption = _DEFAULT_CONFIG) -> None:
    """Print, as lines of JSON, signed requests that contradict what was cosigned.

    Exit code 1 when there are any: each is evidence that its log has two histories, or that
    somebody sent a checkpoint of it with a wrong proof.
    """
    found = WitnessState(config.parent / read_config(config).state_file).refused()
    for one in found:
        say_json(
            {
                "origin": one.origin,
                "time_seconds": one.time_seconds,
                "reason": one.reason,
                "request": base64.b64encode(one.request).decode(),
                "cosigned": one.cosigned.decode(),
            }
        )
    if found:
        raise typer.Exit(FOUND)
