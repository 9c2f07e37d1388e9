import CheckpointCodec
import CheckpointImage
@testable import Formats
@testable import GuestMemory
@testable import Operations
import TestSupport
import Testing

@Suite struct PageClassesTests {
  private func classes(of guest: ModelLinuxGuest) throws -> PageClasses {
    var clues = MemoryClues()
    clues.vmcoreinfo = guest.text
    return try PageClasses(of: try LinuxGuest.find(in: guest.memory, clues))
  }

  /// The class a page should have. The type of page tables is not in this kernel's text, and does not show in pages of
  /// which nothing is known.
  private func expected(_ use: ModelLinuxGuest.Use) -> PageClass {
    switch use {
    case .free: .free
    case .perCPUList: .perCPUList
    case .cacheClean: .cacheClean
    case .cacheDirty: .cacheDirty
    case .cacheMapped: .cacheMapped
    case .sharedMemory: .sharedMemory
    case .privateCache: .privateCache
    case .anonymous: .anonymous
    case .slab: .slab
    case .pageTable, .kernelOther: .kernelOther
    case .reserved: .reserved
    case .balloon: .balloon
    case .offline: .offline
    }
  }

  @Test(arguments: ModelLinuxGuest.Encoding.all)
  func everyPageHasTheClassOfItsUse(_ encoding: ModelLinuxGuest.Encoding) throws {
    var random = SplitMix64.forTest("everyPageHasTheClassOfItsUse")
    let guest = ModelLinuxGuest(encoding)
    guest.fill(&random)
    // Larger than the largest block, as huge pages of 1 GiB are.
    guest.use(2048, 11, .sharedMemory, &random)
    guest.store()
    let found = try classes(of: guest)
    for pfn in 0..<ModelLinuxGuest.pageCount {
      #expect(found[PFN(pfn)] == expected(guest.uses[pfn]), "page \(pfn)")
    }
    #expect(found[PFN(ModelLinuxGuest.pageCount)] == .unknown)
    #expect(found.counts.values.reduce(0, +) == ModelLinuxGuest.pageCount)
    let plan = try found.plan(.free)
    for pfn in 0..<ModelLinuxGuest.pageCount {
      let reason = EvictionPolicy.free.reason(expected(guest.uses[pfn]))
      #expect(plan[PFN(pfn)] == reason, "page \(pfn)")
    }
  }

  /// All that was read is among the frames named: only then can an update know what to read again.
  /// What memory goes on to behind the last page that the kernel knows of costs nothing.
  @Test(.timeLimit(.minutes(1))) func memoryFarBeyondTheKernelsIsNotLookedAt() throws {
    let guest = ModelLinuxGuest()
    let found = try classes(of: guest)
    guest.memory.limit = 1 << 28
    let far = try classes(of: guest)
    #expect(far.counts == found.counts)
    #expect(far.descriptorFrames == found.descriptorFrames)
    #expect(far[(1 << 28) - 1] == .unknown)
  }

  /// Nor does it cost anything if the kernel says that it is there.
  @Test(.timeLimit(.minutes(1))) func descriptorsOfMemoryThatIsNotThereAreRefused() throws {
    let guest = ModelLinuxGuest()
    guest.describeFarTooMuch()
    // By chance, two tables may compete for one slot of the cache: once in some ten times.
    var copied: [Int] = []
    for _ in 0..<4 {
      let before = guest.memory.copied
      let error = #expect(throws: CheckpointError.self) { try classes(of: guest) }
      #expect(error?.reason.contains("and the memory has only 8192") == true)
      copied.append(Int(guest.memory.copied - before))
    }
    #expect(copied.min() ?? .max < 1000, "\(copied)")
    #expect(copied.max() ?? .max < 20_000, "\(copied)")
  }

  @Test func theNamedFramesAreAllThatIsRead() throws {
    var random = SplitMix64.forTest("theNamedFramesAreAllThatIsRead")
    let guest = ModelLinuxGuest()
    guest.fill(&random)
    guest.store()
    let found = try classes(of: guest)
    let named = Set(found.descriptorFrames)
    for pfn in 0..<ModelLinuxGuest.pageCount { #expect(named.contains(guest.frame(of: pfn))) }
    let other = random.bytes(Limits.pageSize)
    for pfn in 0..<PFN(ModelLinuxGuest.pageCount) where !named.contains(pfn) {
      guest.memory.pages[pfn] = other
    }
    #expect(try found.update { _ in true }.isEmpty)
  }

  @Test(arguments: ModelLinuxGuest.Encoding.all)
  func anUpdateFindsWhatAFreshReadingFinds(_ encoding: ModelLinuxGuest.Encoding) throws {
    var random = SplitMix64.forTest("anUpdateFindsWhatAFreshReadingFinds")
    let guest = ModelLinuxGuest(encoding)
    guest.fill(&random)
    guest.store()
    let updated = try classes(of: guest)
    // A spoilt descriptor may say of a page that looks like a table that it is of a type that no other has: who reads
    // that first finds a type of page tables.
    let knowsTables = updated.counts[.pageTable] != 0
    for round in 0..<24 {
      let before = guest.memory.pages
      let old = (0..<PFN(ModelLinuxGuest.pageCount)).map { updated[$0] }
      mutate(guest, &random)
      let changed = try updated.update { before[$0] != guest.memory.pages[$0] }
      let reading = try classes(of: guest)
      let fresh = (0..<PFN(ModelLinuxGuest.pageCount)).map {
        reading[$0] == .pageTable && !knowsTables ? .kernelOther : reading[$0]
      }
      var expected: [Range<PFN>] = []
      for pfn in 0..<PFN(ModelLinuxGuest.pageCount) {
        #expect(updated[pfn] == fresh[Int(pfn)], "round \(round), page \(pfn)")
        guard fresh[Int(pfn)] != old[Int(pfn)] else { continue }
        if let last = expected.last, last.upperBound == pfn {
          expected[expected.count - 1] = last.lowerBound..<pfn + 1
        } else {
          expected.append(pfn..<pfn + 1)
        }
      }
      #expect(changed == expected, "round \(round)")
    }
  }

  private func mutate(_ guest: ModelLinuxGuest, _ random: inout SplitMix64) {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let pfn = Int.random(in: 0..<ModelLinuxGuest.pageCount, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: guest.fill(chunk: pfn / ModelLinuxGuest.chunk, &random)
      case 1: guest.use(pfn & -2048, 11, .sharedMemory, &random)
      case 2: guest.move(pfn, to: .random(in: ModelLinuxGuest.spareFrames, using: &random))
      case 3:
        for _ in 0..<64 {
          guest.spoil(
            .random(in: 0..<ModelLinuxGuest.pageCount, using: &random), Int(random.next() % 64),
            UInt8(truncatingIfNeeded: random.next()))
        }
      default:
        guest.use(
          pfn, 0, ModelLinuxGuest.Use.allCases.randomElement(using: &random) ?? .slab, &random)
      }
    }
    guest.store()
  }

  /// Whatever stands in other descriptors, a page in use is not taken for one that need not be saved. What its kernel
  /// says of the page itself, of the compound page it is part of, or, for one that nothing refers to, of the block
  /// that it may be part of, is believed.
  @Test(arguments: ModelLinuxGuest.Encoding.all)
  func damageElsewhereEvictsNoPageInUse(_ encoding: ModelLinuxGuest.Encoding) throws {
    var random = SplitMix64.forTest("damageElsewhereEvictsNoPageInUse")
    for _ in 0..<8 {
      let guest = ModelLinuxGuest(encoding)
      guest.fill(&random)
      var damaged = Set<Int>()
      for _ in 0..<200 {
        let pfn = Int.random(in: 0..<ModelLinuxGuest.pageCount, using: &random)
        damaged.insert(pfn)
        if Bool.random(using: &random) {
          guest.spoil(pfn, Int(random.next() % 64), UInt8(truncatingIfNeeded: random.next()))
        } else {
          // As convincing as can be: what another page should have.
          guest.describeAlone(pfn, .free, order: Int.random(in: 0...10, using: &random), &random)
        }
      }
      guest.store()
      let plan = try classes(of: guest).plan(.cache)
      let damagedChunks = Set(damaged.map { $0 / ModelLinuxGuest.chunk })
      let damagedStarts = Set(damaged.map { guest.starts[$0] })
      for pfn in 0..<ModelLinuxGuest.pageCount {
        let use = guest.uses[pfn]
        let reason = EvictionPolicy.cache.reason(expected(use))
        let isBelieved =
          damagedStarts.contains(guest.starts[pfn])
          || use == .perCPUList && damagedChunks.contains(pfn / ModelLinuxGuest.chunk)
        if reason == .none && !isBelieved {
          #expect(plan[PFN(pfn)] == .none, "page \(pfn): \(use)")
        }
      }
    }
  }

  @Test func pagesThatAreToHoldAPatternAreKept() throws {
    var random = SplitMix64.forTest("pagesThatAreToHoldAPatternAreKept")
    let guest = ModelLinuxGuest()
    guest.fill(&random)
    guest.use(4096, 10, .free, &random)
    guest.store()
    let pattern = [UInt8](repeating: 0xaa, count: Limits.pageSize)
    guest.memory.pages[4100] = pattern
    #expect(try !classes(of: guest).poisonedFreePages)
    #expect(try classes(of: guest).plan(.free)[4100] == .free)
    let found = try classes(of: guest)
    for pfn in 0..<PFN(ModelLinuxGuest.pageCount)
    where found[pfn] == .free && guest.memory.pages[pfn] == nil {
      guest.memory.pages[pfn] = pattern
    }
    #expect(try classes(of: guest).poisonedFreePages)
    #expect(try classes(of: guest).plan(.free)[4100] == .none)
    #expect(try classes(of: guest).plan(.cache).isEmpty == false)
  }

  @Test(arguments: ModelLinuxGuest.Encoding.all)
  func pageTablesAreKnownByWhatIsInThem(_ encoding: ModelLinuxGuest.Encoding) throws {
    var random = SplitMix64.forTest("pageTablesAreKnownByWhatIsInThem")
    let guest = ModelLinuxGuest(encoding)
    guest.fill(&random)
    // Others in front would be all that is looked at.
    for pfn in 0..<3 * ModelLinuxGuest.chunk { guest.use(pfn, 0, .reserved, &random) }
    guest.store()
    guest.storeTables()
    let found = try classes(of: guest)
    for pfn in 0..<ModelLinuxGuest.pageCount {
      let use = guest.uses[pfn]
      #expect(
        found[PFN(pfn)] == (use == .pageTable ? .pageTable : expected(use)), "page \(pfn): \(use)")
    }
  }

  @Test func pagesOfWhichNothingIsKnownAreToldOf() throws {
    var random = SplitMix64.forTest("pagesOfWhichNothingIsKnownAreToldOf")
    let guest = ModelLinuxGuest()
    guest.fill(&random)
    guest.store()
    let note = DumpNote(DumpNote.vmcoreinfo, type: 0, guest.text).encoded()
    func decide() throws -> EvictionDecision {
      try EvictionRequest(.free)
        .decide(on: guest.memory, records: [DumpNote.record(note)], pool: WorkerPool())
    }
    #expect(try decide().unknownPages == 0)
    let before = try decide().plan.pageCount
    let lost = 0..<ModelLinuxGuest.pageCount / 2
    for pfn in lost { guest.memory.pages[guest.frame(of: pfn)] = nil }
    let decision = try decide()
    #expect(decision.unknownPages >= lost.count)
    #expect(decision.plan.pageCount > 0 && decision.plan.pageCount < before)
    for pfn in lost { #expect(decision.plan[PFN(pfn)] == .none) }
  }

  @Test func aKernelThatSaysTooLittleIsRefused() throws {
    for missing in [
      "SIZE(page)", "OFFSET(page._mapcount)", "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)",
      "NUMBER(PG_head_mask)", "SYMBOL(mem_section)", "NUMBER(SECTION_SIZE_BITS)",
    ] {
      let guest = ModelLinuxGuest()
      let text = String(decoding: guest.text, as: UTF8.self)
        .split(separator: "\n").filter { !$0.hasPrefix(missing) }.joined(separator: "\n")
      var clues = MemoryClues()
      clues.vmcoreinfo = Array(text.utf8)
      let found = try LinuxGuest.find(in: guest.memory, clues)
      let error = #expect(throws: CheckpointError.self, "\(missing)") {
        try PageClasses(of: found)
      }
      #expect(error?.kind == .refused)
      let isWhere = missing.contains("mem_section") || missing.contains("SECTION_SIZE_BITS")
      let said = isWhere ? "does not say where its page descriptors are" : missing
      #expect(error?.reason.contains(said) == true, "\(error as Any)")
    }
  }
}
