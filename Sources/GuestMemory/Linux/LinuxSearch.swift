public import CheckpointCodec
public import CheckpointImage

extension LinuxGuest {
  /// Pages that begin as a VMCOREINFO text does, before the search is given up: one or two are usual.
  private static let mostCandidates = 64

  /// The greatest memory that is searched, in pages: 1 TiB.
  private static let mostSearched: PFN = 1 << 28

  /// Recognises the guest: by the text that the source carries, else by the pages that begin as that text does.
  ///
  /// - Throws: `.refused` if it is no Linux kernel for x86-64, or more than one, or one that says too little.
  public static func find(in memory: any PhysicalMemory, _ clues: MemoryClues)
    throws(CheckpointError) -> LinuxGuest
  {
    let pages = CachedPages(memory)
    let texts = if let text = clues.vmcoreinfo { [text] } else { try texts(in: memory) }
    guard texts.count < mostCandidates else {
      throw notRecognised("\(mostCandidates) pages or more look like its VMCOREINFO")
    }
    var found: LinuxGuest?
    var obstacle = CheckpointError(.refused, "no VMCOREINFO in this memory")
    for text in texts {
      let guest: LinuxGuest
      do throws(CheckpointError) {
        guest = try LinuxGuest(VMCoreInfo(text), in: memory, pages)
      } catch {
        guard error.kind == .refused else { throw error }
        obstacle = error
        continue
      }
      if let found, found.information.text != guest.information.text {
        throw notRecognised("two different VMCOREINFO fit this memory")
      }
      found = guest
    }
    guard let found else { throw notRecognised(obstacle.description) }
    return found
  }

  private static func notRecognised(_ reason: String) -> CheckpointError {
    CheckpointError(.refused, "no Linux guest recognised: \(reason)")
  }

  /// The first pages of which each begins as the text does: there it lies since Linux 4.13.
  private static func texts(in memory: any PhysicalMemory) throws(CheckpointError) -> [[UInt8]] {
    guard memory.limit <= mostSearched else {
      throw notRecognised("nothing says where in more than 1 TiB to look for it")
    }
    var found: [[UInt8]] = []
    let buffer = PageBuffer()
    var next: PFN = 0
    while next < memory.limit, found.count < mostCandidates {
      let batch = Array(next..<min(next + UInt64(buffer.pageCount), memory.limit))
      next += UInt64(batch.count)
      let unknown = try memory.copy(batch[...], to: buffer, at: 0)
      for slot in batch.indices where !unknown.contains(slot) {
        let page = buffer.page(slot)
        if begins(page) { found.append(unsafe page.withUnsafeBytes { unsafe Array($0) }) }
      }
    }
    return found
  }

  private static func begins(_ page: RawSpan) -> Bool {
    for (place, byte) in VMCoreInfo.start.enumerated()
    where unsafe page.unsafeLoad(fromByteOffset: place, as: UInt8.self) != byte {
      return false
    }
    return true
  }
}
