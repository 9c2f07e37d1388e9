internal import CheckpointCodec
internal import Storage

extension GuestFacts {
  /// When the kernel was started, as text; nil if it is not known.
  package var boot: String? {
    bootTime.map {
      UTCTime.text(seconds: Int($0 / 1_000_000_000), nanoseconds: Int($0 % 1_000_000_000))
    }
  }

  /// The facts that are known, as fields of the provenance.
  package var fields: [(key: String, value: String)] {
    let fields = [
      ("guest.release", release), ("guest.banner", banner), ("guest.boot", boot),
      ("guest.command", commandLine),
    ]
    return fields.compactMap { key, value in value.map { (key, $0) } }
  }
}
