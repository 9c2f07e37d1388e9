#if Xen
/// How long the guest stood still in a capture, and for what.
public struct PauseTimes: Sendable {
  /// From the request to suspend until it had; the guest still worked in part of it.
  public var handshake = Duration.zero
  /// Copying the last pages and the machine state.
  public var copy = Duration.zero
  /// Reading what the guest uses its pages for.
  public var classify = Duration.zero
  /// The command that ran while it stood still.
  public var hook = Duration.zero
  /// Until it went on.
  public var resume = Duration.zero

  /// All of it.
  public var total: Duration { handshake + copy + classify + hook + resume }

  /// The parts and their sum, by name.
  public var parts: [(name: String, time: Duration)] {
    [
      ("handshake", handshake), ("copy", copy), ("classify", classify), ("hook", hook),
      ("resume", resume), ("total", total),
    ]
  }
}

extension Duration {
  /// As a text such as `12.3 ms`.
  public var milliseconds: String {
    let (seconds, attoseconds) = components
    let tenths = seconds * 10_000 + attoseconds / 100_000_000_000_000
    return "\(tenths / 10).\(tenths % 10) ms"
  }
}
#endif
