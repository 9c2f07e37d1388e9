#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Storage

/// The machine frames that a PV domain owns, by the hypervisor's own books.
struct OwnedFrames {
  /// Ascending.
  private(set) var frames: [UInt64] = []
  /// The type of each, as in PAGE_DATA.
  private(set) var types: [UInt8] = []

  private static let batch = 1024

  /// None.
  init() {}

  /// Those among some frames, which ascend.
  init(
    among candidates: some RandomAccessCollection<UInt64>, _ domain: UInt32,
    _ hypervisor: Hypervisor, _ cancellation: Cancellation
  ) throws(CheckpointError) {
    var rest = candidates[...]
    while !rest.isEmpty {
      try cancellation.check()
      let batch = Array(rest.prefix(Self.batch))
      rest = rest.dropFirst(batch.count)
      let answers = try Self.types(batch, domain, hypervisor)
      // What is not the domain's has no type.
      for (frame, type) in zip(batch, answers) where type != XenStream.typeNone {
        frames.append(frame)
        types.append(type)
      }
    }
  }

  /// The types of at most 1024 frames now.
  static func types(_ frames: [UInt64], _ domain: UInt32, _ hypervisor: Hypervisor)
    throws(CheckpointError) -> [UInt8]
  {
    var answers = frames.map { xen_pfn_t($0) }
    guard
      unsafe xc_get_pfn_type_batch(hypervisor.control, domain, UInt32(answers.count), &answers)
        == 0
    else { throw hypervisor.failure("read the types of pages", domain) }
    return answers.map { answer in
      let type = UInt8(truncatingIfNeeded: answer >> 28 & 15)
      // What this program does not know is still a page.
      return PageStatus.isValid(type: type) || type >= XenStream.typeBroken ? type : 0
    }
  }
}
#endif
