internal import CheckpointCodec

extension GuestFacts {
  /// The facts that are known, as fields of the provenance.
  public var fields: [(key: String, value: String)] {
    var fields = [("guest.release", release)]
    if let banner { fields.append(("guest.banner", banner)) }
    if let bootTime {
      fields.append(
        (
          "guest.boot",
          UTCTime.text(
            seconds: Int(bootTime / 1_000_000_000), nanoseconds: Int(bootTime % 1_000_000_000))
        ))
    }
    if let commandLine { fields.append(("guest.command", commandLine)) }
    return fields
  }
}
