package import CheckpointCodec
package import CheckpointImage
internal import Storage

extension LinuxGuest {
  /// The most pages beginning like a VMCOREINFO text that are examined: one or two are usual.
  private static let mostCandidates = 64

  /// The most processors whose tables are tried, and the most kernel images: one is usual.
  private static let mostProcessors = 8
  private static let mostImages = 3

  /// The most pages read to follow pointers from all images: a kernel has some thousands of pointers.
  private static let mostLookedAt = 1 << 15

  /// The largest memory that is searched, in pages: 1 TiB.
  private static let mostSearched: PFN = 1 << 28

  /// Recognises the guest by its VMCOREINFO. If the source carries that text and it fits, it is used: hypervisors and
  /// converters write wrong ones. Else it is the text
  /// that the kernel's variables point to, in the tables that a processor uses: no process can forge that, and
  /// the cost does not grow with memory. Else, for a source without processors, any page that begins like one.
  ///
  /// - Parameter pool: searches for such a page.
  /// - Throws: `.refused` if there is no Linux kernel for x86-64, or several, or one that states too little.
  package static func find(
    in memory: any PhysicalMemory, _ clues: MemoryClues, on pool: WorkerPool = WorkerPool()
  ) throws(CheckpointError) -> LinuxGuest {
    let pages = CachedPages(memory)
    guard let text = clues.vmcoreinfo else {
      return try withoutText(in: memory, clues, on: pool, pages)
    }
    do throws(CheckpointError) {
      return try LinuxGuest(VMCoreInfo(text), in: memory, pages)
    } catch {
      guard error.kind == .refused else { throw error }
      let found = try? withoutText(in: memory, clues, on: pool, pages)
      try pool.cancellation.check()
      // If no other fits, what is wrong with this one is the better reason.
      guard let guest = found else { throw notRecognised(error.description) }
      guest.unfittingNote = error.description
      return guest
    }
  }

  /// Recognises the guest by what lies in its memory alone.
  private static func withoutText(
    in memory: any PhysicalMemory, _ clues: MemoryClues, on pool: WorkerPool, _ pages: CachedPages
  ) throws(CheckpointError) -> LinuxGuest {
    guard !clues.pageTables.isEmpty else {
      return try only(texts(in: memory, on: pool), in: memory, pages)
    }
    return try running(clues.pageTables, in: memory, pages)
  }

  /// Whether the tables of all processors map this kernel where its own tables do. They no longer do once
  /// another kernel was started in its place (kexec), which leaves most of the old one's texts in memory.
  package func isRunning(on clues: MemoryClues) throws(CheckpointError) -> Bool {
    refresh()
    guard let text = information.symbol("_stext"), let place = try translate(text),
      !clues.pageTables.isEmpty
    else { return false }
    for register in Set(clues.pageTables) {
      var isMapped = false
      // As in `running`: the second of two tables belongs to a process.
      for root in [register, register & ~0x1000] where !isMapped {
        let used = KernelPageTables(
          root: root, levels: tables.levels, encryption: tables.encryption)
        isMapped = try used.walk(text, pages)?.physical == place
      }
      guard isMapped else { return false }
    }
    return true
  }

  /// The guest that one of these texts describes; there must not be several.
  private static func only(_ texts: [[UInt8]], in memory: any PhysicalMemory, _ pages: CachedPages)
    throws(CheckpointError) -> LinuxGuest
  {
    guard texts.count < mostCandidates else {
      throw notRecognised("\(mostCandidates) pages or more look like its VMCOREINFO")
    }
    var found: LinuxGuest?
    var obstacle = CheckpointError(
      .refused,
      "no VMCOREINFO in this memory: it is not Linux, or it was built without crash dumps, or the page is missing"
    )
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

  /// The guest whose kernel is mapped by one of these tables.
  private static func running(
    _ registers: [UInt64], in memory: any PhysicalMemory, _ pages: CachedPages
  ) throws(CheckpointError) -> LinuxGuest {
    var obstacle = notRecognised("no processor's page tables map a kernel where Linux has its own")
    var images = 0
    var different: [UInt64] = []
    for register in registers where !different.contains(register) {
      different.append(register)
      if different.count == mostProcessors { break }
    }
    let most = pages.copied + mostLookedAt
    for register in different {
      // Where the kernel hides its memory from processes, theirs is the second of two tables. The first is
      // tried only if that one maps no kernel, since otherwise it could be a page of a process.
      for root in [register, register & ~0x1000] {
        let before = images
        for levels in [4, 5] {
          let tables = KernelPageTables(root: root, levels: levels)
          let image = try KernelImage(tables, pages)
          guard image.hasVariables, images < mostImages else { continue }
          images += 1
          do throws(CheckpointError) {
            return try running(tables, image, in: memory, pages, most)
          } catch {
            guard error.kind == .refused else { throw error }
            obstacle = error
          }
        }
        guard images == before else { break }
      }
    }
    throw obstacle
  }

  /// The guest whose kernel has this image.
  private static func running(
    _ tables: KernelPageTables, _ image: KernelImage, in memory: any PhysicalMemory,
    _ pages: CachedPages, _ most: Int
  ) throws(CheckpointError) -> LinuxGuest {
    let guest = try only(texts(tables, image, pages, most), in: memory, pages)
    let text = guest.information.symbol("_stext") ?? 0
    guard guest.tables.levels == tables.levels,
      try guest.translate(text) == tables.walk(text, pages)?.physical
    else { throw notRecognised("VMCOREINFO belongs to another kernel than the running one") }
    return guest
  }

  /// The pages that begin like the text and that one of the kernel's variables points to.
  private static func texts(
    _ tables: KernelPageTables, _ image: KernelImage, _ pages: CachedPages, _ most: Int
  ) throws(CheckpointError) -> [[UInt8]] {
    var found: [[UInt8]] = []
    let pointers = try image.pagePointers(pages).sorted()
    for pointer in pointers where pages.copied < most {
      guard let physical = try tables.walk(pointer, pages)?.physical else { continue }
      var text: [UInt8] = []
      guard try pages.append(VMCoreInfo.start.count, at: physical, to: &text),
        text == VMCoreInfo.start
      else { continue }
      text = []
      guard try pages.append(Limits.pageSize, at: physical, to: &text) else { continue }
      found.append(text)
      guard found.count < mostCandidates else { break }
    }
    return found
  }

  private static func notRecognised(_ reason: String) -> CheckpointError {
    CheckpointError(.refused, "no Linux guest recognised: \(reason)")
  }

  /// The first pages that begin like the text, which starts a page since Linux 4.13.
  private static func texts(in memory: any PhysicalMemory, on pool: WorkerPool)
    throws(CheckpointError) -> [[UInt8]]
  {
    let runs = memory.runs
    guard runs.reduce(0, { $0 + PFN($1.count) }) <= mostSearched else {
      throw notRecognised("nothing says where in more than 1 TiB to look for it")
    }
    let concurrent = memory as? any ConcurrentMemory
    var lane = OrderedLane<[[UInt8]]>(pool)
    // Workers must not own their pool.
    let buffers = pool.buffers
    var found: [[UInt8]] = []
    for run in runs {
      var rest = run
      while !rest.isEmpty, found.count < mostCandidates {
        try pool.cancellation.check()
        let batch = Array(rest.prefix(PageBuffer.capacity))
        rest = rest.dropFirst(batch.count)
        if let concurrent {
          if lane.isFull { found += try lane.next() }
          lane.start { () throws(CheckpointError) in
            try texts(among: batch, of: concurrent, buffers)
          }
        } else {
          found += try texts(among: batch, of: memory, buffers)
        }
      }
    }
    while !lane.isEmpty { found += try lane.next() }
    return found
  }

  private static func texts(
    among pfns: [PFN], of memory: any PhysicalMemory, _ buffers: PageBufferPool
  ) throws(CheckpointError) -> [[UInt8]] {
    let buffer = buffers.buffer()
    let unknown = Set(try memory.copy(pfns[...], to: buffer, at: 0))
    // SAFETY: the bytes are copied before the closure returns.
    return pfns.indices.filter { !unknown.contains($0) && begins(buffer.page($0)) }
      .map { unsafe buffer.page($0).withUnsafeBytes { unsafe Array($0) } }
  }

  private static func begins(_ page: RawSpan) -> Bool {
    // SAFETY: the load checks its bounds; any bytes are a valid number.
    for (place, byte) in VMCoreInfo.start.enumerated()
    where unsafe page.unsafeLoad(fromByteOffset: place, as: UInt8.self) != byte {
      return false
    }
    return true
  }
}
