"""What a tablet posts and what it is answered. What the payload of a command needs depends on its kind: kinds/."""

import marshmallow as ma

from fieldservice.workorders.tablet.kinds import KINDS

MOST = 100  # commands in one post
DEVICE_ID = r"^[0-9A-Za-z_.:-]{1,64}\Z"
COMMAND_ID = r"^[0-9A-Za-z_-]{8,40}\Z"


class CommandSchema(ma.Schema):
    """The envelope of one command; what its payload needs depends on its kind."""

    class Meta:
        unknown = ma.EXCLUDE

    id = ma.fields.String(required=True, validate=ma.validate.Regexp(COMMAND_ID))
    seq = ma.fields.Integer(required=True, validate=ma.validate.Range(0, 2**53))
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(tuple(KINDS)))
    at = ma.fields.AwareDateTime(required=True, metadata={"description": "Corrected by the tablet's measured offset."})
    device_at = ma.fields.AwareDateTime(
        load_default=None, allow_none=True, metadata={"description": "As the tablet's clock showed it."}
    )
    base_at = ma.fields.AwareDateTime(
        load_default=None, allow_none=True, metadata={"description": "`now` of the snapshot it was recorded over."}
    )
    base_version = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(0, 2**53))
    again_of = ma.fields.String(
        load_default=None, allow_none=True, validate=ma.validate.Regexp(COMMAND_ID),
        metadata={"description": "The refused command that this one repeats."},
    )  # fmt: skip
    payload = ma.fields.Dict(required=True)


class TabletWaitingSchema(ma.Schema):
    """How much waits on the tablet, by lane."""

    class Meta:
        unknown = ma.EXCLUDE

    commands = ma.fields.Integer(required=True)
    uploads = ma.fields.Integer(load_default=0)
    held = ma.fields.Integer(load_default=0, metadata={"description": "Set aside, for a person to look at."})
    oldest_at = ma.fields.AwareDateTime(load_default=None, allow_none=True)


class TabletStorageSchema(ma.Schema):
    """What the browser says about the place where it keeps things."""

    class Meta:
        unknown = ma.EXCLUDE

    persisted = ma.fields.Boolean(load_default=None, allow_none=True)
    usage = ma.fields.Integer(load_default=None, allow_none=True)
    quota = ma.fields.Integer(load_default=None, allow_none=True)


class TabletReportSchema(ma.Schema):
    """How the tablet fares."""

    class Meta:
        unknown = ma.EXCLUDE

    waiting = ma.fields.Nested(TabletWaitingSchema, load_default=None, allow_none=True)
    storage = ma.fields.Nested(TabletStorageSchema, load_default=None, allow_none=True)
    offset_ms = ma.fields.Integer(
        load_default=None, allow_none=True, metadata={"description": "Added to its clock to get the server's."}
    )


class CommandsSchema(ma.Schema):
    """What a tablet posts. Pages of version 1 send nothing but `device_id` and `commands`."""

    class Meta:
        unknown = ma.EXCLUDE

    device_id = ma.fields.String(required=True, validate=ma.validate.Regexp(DEVICE_ID))
    carried_by = ma.fields.String(
        load_default=None, allow_none=True, validate=ma.validate.Regexp(DEVICE_ID),
        metadata={"description": "The tablet that sends, where it brings what another one (`device_id`) recorded."},
    )  # fmt: skip
    client = ma.fields.Integer(load_default=1, validate=ma.validate.Range(0, 10**6))
    sent_at = ma.fields.AwareDateTime(load_default=None, allow_none=True)
    report = ma.fields.Nested(TabletReportSchema, load_default=None, allow_none=True)
    commands = ma.fields.List(ma.fields.Dict(), required=True, validate=ma.validate.Length(max=MOST))


class CompleteSchema(ma.Schema):
    """What ends an upload."""

    class Meta:
        unknown = ma.EXCLUDE

    sha256 = ma.fields.String(required=True, validate=ma.validate.Regexp(r"^[0-9a-fA-F]{64}\Z"))
    name = ma.fields.String(load_default="photo", validate=ma.validate.Length(max=200))


class SignedOutSchema(ma.Schema):
    """Which tablet has sent everything."""

    class Meta:
        unknown = ma.EXCLUDE

    device_id = ma.fields.String(required=True, validate=ma.validate.Regexp(DEVICE_ID))


class SnapshotQuery(ma.Schema):
    """The stamp of the snapshot held, if any."""

    class Meta:
        unknown = ma.EXCLUDE

    since = ma.fields.String(load_default="", validate=ma.validate.Length(max=120))


class CommandResult(ma.Schema):
    """What became of a command; `detail` is a sentence in the caller's language."""

    id = ma.fields.String(allow_none=True)
    status = ma.fields.String(validate=ma.validate.OneOf(("accepted", "accepted_with_flag", "rejected")))
    code = ma.fields.String()
    detail = ma.fields.String()
    flags = ma.fields.List(ma.fields.String(), metadata={"description": "Every remark; `code` is the first."})
    errors = ma.fields.Dict()


class DeviceState(ma.Schema):
    """What the office wants of this tablet."""

    state = ma.fields.String(validate=ma.validate.OneOf(("active", "sign_out_asked")))


class ClientVersions(ma.Schema):
    """Versions of the tablet's page: the one this server brings, the oldest that it understands."""

    current = ma.fields.Integer()
    oldest = ma.fields.Integer()


class CommandResults(ma.Schema):
    """Results in the order of the commands, and what concerns the tablet itself."""

    results = ma.fields.List(ma.fields.Nested(CommandResult))
    device = ma.fields.Nested(DeviceState)
    client = ma.fields.Nested(ClientVersions)
