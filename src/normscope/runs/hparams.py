"""A run as a row of TensorBoard's HPARAMS tab.

A session's start and its end, and no experiment summary: then the tab has no stray run, the columns are the union of
all runs' keys, and every scalar is a metric.
"""

import json
import time
from collections.abc import Mapping

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.metadata import (
    NULL_TENSOR,
    SESSION_END_INFO_TAG,
    SESSION_START_INFO_TAG,
    create_summary_metadata,
)
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo

STATUSES = {
    "finished": api_pb2.STATUS_SUCCESS,
    "diverged": api_pb2.STATUS_FAILURE,
    "failed": api_pb2.STATUS_FAILURE,
}


def session_start(hparams: Mapping[str, object]) -> Summary:
    """The row's settings. Numbers are numbers; true, false, null and lists are text, as they stand in the YAML."""
    session = SessionStartInfo(start_time_secs=time.time())
    for name, value in hparams.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            session.hparams[name].number_value = value
        else:
            session.hparams[name].string_value = value if isinstance(value, str) else json.dumps(value)
    return _summary(SESSION_START_INFO_TAG, HParamsPluginData(session_start_info=session))


def session_end(status: str) -> Summary:
    """The row's status: finished, diverged or failed."""
    session = SessionEndInfo(status=STATUSES[status], end_time_secs=time.time())
    return _summary(SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=session))


def _summary(tag: str, data: HParamsPluginData) -> Summary:
    return Summary(value=[Summary.Value(tag=tag, metadata=create_summary_metadata(data), tensor=NULL_TENSOR)])
