#if Xen
internal import CheckpointCodec
internal import CheckpointImage

/// One life of a domain, from its start to its end, as it is captured. A reboot begins another.
protocol LiveDomain: SqueezableDomain {
  /// The version of Xen it runs on, such as `4.17.5`.
  var version: String { get }
  /// The first two numbers of that.
  var release: (major: UInt32, minor: UInt32) { get }
  var memory: any DomainMemory { get }
  /// The dirty log; it counts only while it is on.
  var log: any DirtyLog { get }

  /// Finds in the domain's memory what its kernel uses each page for; refused if that is not understood.
  func classifier(in memory: any PhysicalMemory) throws(CheckpointError) -> any PageClassifier
  /// Has a guard take care of the domain; refused while another process captures it. With it comes what an
  /// earlier capture had left behind and was put right, one line each.
  func guarded() throws(CheckpointError) -> (control: any DomainControl, recovered: [String])
  /// libxl's JSON with a NUL behind it.
  func configuration() throws(CheckpointError) -> [UInt8]
  /// Whether the guest will not go on in this life: it has gone, or shut down.
  func isOver() throws(CheckpointError) -> Bool
  /// The domain of the same UUID that was started after this one; nil if there is none yet.
  func successor() throws(CheckpointError) -> (any LiveDomain)?
}
#endif
