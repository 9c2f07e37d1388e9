#if Xen
public import CheckpointImage
internal import Formats
public import Storage
public import VMCheckpoint
internal import XenDomain

/// A running guest of the Xen host that the program runs on, as root in dom0.
///
/// It is paused for a moment only: memory is copied while it runs, and what it wrote meanwhile is copied again. A
/// process of its own puts the guest back whatever happens to this one: so the program must call `startHelpers` first
/// thing in its `main`.
public final class RunningGuest {
  private let live: LiveSource

  /// Becomes a helper process and does not return, if this process was started as one.
  public static func startHelpers() { OwnProgram.runIfStartedAsHelper() }

  /// Takes a domain into its care.
  ///
  /// - Parameters:
  ///   - domain: the domain's name, number or UUID.
  ///   - report: called with what happens, in words, such as rounds of copying.
  /// - Throws: `.refused` if the guest cannot be captured; the error says why.
  public init(
    _ domain: String, cancellation: Cancellation = Cancellation(),
    report: @escaping (String) -> Void = { _ in }
  ) throws(CheckpointError) {
    live = try LiveSource(domain, LiveOptions(cancellation: cancellation)) { report("\($0)") }
  }

  /// The guest's present, to be captured.
  public var source: CaptureSource { CaptureSource(live) }

  /// Puts the guest back as it was, whatever it was in the middle of.
  public func close() { live.close() }

  deinit { live.close() }
}
#endif
