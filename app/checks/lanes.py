"""Whether Hadoop's own protocols can be spoken from here, and what is lost where they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.fs.data_lane import CONNECTING
from app.fs.lane_datanodes import unreached
from app.fs.lane_finding import NoLane, Standby

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.checks.report import Report
    from app.fs.lane_datanodes import Address
    from app.fs.lanes import Lanes

MOST_DATANODES = 100
"""So many DataNodes of a cluster are connected to."""
_SHOWN = 5


def check_lanes(lanes: Lanes, seconds: float, about: str, report: Report) -> None:
    """Look for the NameNodes' RPC and the DataNodes' transfer ports of one cluster."""
    found = _find(lanes, about, report)
    addresses = next(filter(None, (lane.datanodes(seconds) for lane in lanes.all)), [])
    if addresses:
        _check_datanodes(addresses, seconds, about, report, used=found)
    elif found:
        report.note(about, "it was not looked whether the DataNodes' transfer port is open: which"
                    " DataNodes there are, its page /jmx does not tell",
                    "see that the port (dfs.datanode.address, 9866) of each is open to this"
                    " machine; if not, nothing is lost but speed")


def _find(lanes: Lanes, about: str, report: Report) -> bool:
    """Tell of each NameNode that is no standby; return whether the RPC of one is used."""
    found = False
    for lane in lanes.all:
        try:
            host, port = lane.find()
        except Standby:
            continue
        except NoLane as error:
            report.note(
                about, f"Hadoop's RPC is not used beside WebHDFS: {error}",
                "all goes by WebHDFS alone, nothing is lost but speed; to have it, open the"
                " NameNodes' RPC port\n(dfs.namenode.rpc-address, 8020) to this machine, or say in"
                " backend.rpc where it is (off: nowhere)")
        else:
            found = True
            report.right(about, f"Hadoop's RPC at {host}:{port} answers: names go by it, beside"
                         " WebHDFS")
    return found


def _check_datanodes(
    addresses: Sequence[Address], seconds: float, about: str, report: Report, *, used: bool,
) -> None:
    asked = addresses[:MOST_DATANODES]
    shut = unreached(asked, min(seconds, CONNECTING))
    if not shut:
        report.right(about, "the DataNodes' transfer port is open"
                     f" ({len(asked)} of {len(addresses)} asked)"
                     + (": bytes go by their own protocol" if used else ""))
        return
    some = ", ".join(f"{host}:{port} ({why})" for (host, port), why in list(shut.items())[:_SHOWN])
    more = f" and {len(shut) - _SHOWN} more" if len(shut) > _SHOWN else ""
    report.note(
        about, f"{len(shut)} of {len(asked)} DataNodes asked cannot be reached at their transfer"
        f" port: {some}{more}",
        "what no DataNode with an open port has goes by WebHDFS, nothing is lost but speed; to have"
        " it all, open\nthe port (dfs.datanode.address, 9866) of each to this machine")
