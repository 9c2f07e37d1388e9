#if Xen
internal import CheckpointImage
internal import GuestMemory

/// What a running guest uses each of its pages for, by its own page descriptors as they were last read.
protocol PageClassifier: AnyObject {
  /// The version of the guest's kernel.
  var release: String { get }
  /// The class of a page; `unknown` where there is no descriptor.
  subscript(pfn: PFN) -> PageClass { get }
  /// Reads again the descriptors that were written to.
  ///
  /// - Returns: ranges that hold all pages whose class changed.
  func update(written: (PFN) -> Bool) throws(CheckpointError) -> [Range<PFN>]
}
#endif
