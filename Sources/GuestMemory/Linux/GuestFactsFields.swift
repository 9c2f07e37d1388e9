internal import CheckpointCodec
internal import Storage

extension GuestFacts {
  /// The boot time as text; nil if unknown.
  package var boot: String? {
    bootTime.map {
      UTCTime.text(seconds: Int($0 / 1_000_000_000), nanoseconds: Int($0 % 1_000_000_000))
    }
  }

  /// The known facts, as fields of the provenance.
  package var fields: [(key: String, value: String)] {
    let fields = [
      ("guest.release", release), ("guest.banner", banner), ("guest.boot", boot),
      ("guest.command", commandLine), ("guest.vmcoreinfo.unfitting", unfittingNote),
    ]
    return fields.compactMap { key, value in value.map { (key, $0) } }
  }
}
