#if Xen
/// How long the guest was paused for a capture, and for what.
package struct PauseTimes: Sendable {
  /// From the request to suspend until it had; the guest still worked in part of it.
  package var handshake = Duration.zero
  /// Copying the last pages and the machine state.
  package var copy = Duration.zero
  /// Reading what the guest uses its pages for.
  package var classify = Duration.zero
  /// The command that ran in the pause.
  package var hook = Duration.zero
  /// Until it went on.
  package var resume = Duration.zero

  /// All of it.
  package var total: Duration { handshake + copy + classify + hook + resume }

  /// The parts and their sum, by name.
  package var parts: [(name: String, time: Duration)] {
    [
      ("handshake", handshake), ("copy", copy), ("classify", classify), ("hook", hook),
      ("resume", resume), ("total", total),
    ]
  }
}
#endif
