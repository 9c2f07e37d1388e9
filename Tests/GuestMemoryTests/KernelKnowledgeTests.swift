import CheckpointImage
import GuestMemory
import TestSupport
import Testing

/// What is read of a kernel once it is found: types, symbols, facts.
@Suite struct KernelKnowledgeTests {
  private func guest(_ symbols: ModelKernel.Symbols = .signed) throws -> LinuxGuest {
    let kernel = ModelKernel(symbols: symbols)
    kernel.writeText()
    return try LinuxGuest.find(in: kernel.memory, kernel.clues())
  }

  @Test func membersAreFoundThroughTheirStructures() throws {
    let types = try #require(try guest().types)
    func place(_ structure: String, _ path: String) -> [Int]? {
      types.member(structure, path).map { [$0.offset, $0.size] }
    }
    #expect(types.size("page") == 64)
    #expect(place("page", "flags") == [0, 8])
    #expect(place("page", "mapping") == [16, 8])
    #expect(place("page", "compound_head") == [8, 8])
    #expect(place("page", "_refcount") == [24, 4])
    #expect(place("page", "_refcount.counter") == [24, 4])
    #expect(place("timekeeper", "wall_to_monotonic.tv_nsec") == [24, 8])
    #expect(place("bits", "three") == [8, 24])
    #expect(types.size("seqcount_raw_spinlock_t") == 4)
    for (structure, path) in [
      ("page", "nothing"), ("page", "flags.more"), ("page", "_refcount.counter.more"), ("page", ""),
      ("nothing", "flags"), ("bits", "narrow"), ("pageflags", "PG_dirty"),
    ] { #expect(types.member(structure, path) == nil, "\(structure).\(path)") }
  }

  @Test func enumeratorsHaveOneValue() throws {
    let types = try #require(try guest().types)
    #expect(types.enumerator("PG_locked") == 0)
    #expect(types.enumerator("PG_dirty") == 4)
    #expect(types.enumerator("MINUS_ONE") == -1)
    #expect(types.enumerator("WIDE") == 1 << 40)
    #expect(types.enumerator("TWICE") == nil)
    #expect(types.enumerator("PG_") == nil)
    #expect(types.enumerator("") == nil)
  }

  @Test func brokenTypesAreNone() throws {
    var model = ModelTypes()
    let int = model.add("int", 1, word: 4, more: [32])
    model.add("page", 4, parts: [("flags", int, 0)], word: 64)
    let sound = model.bytes
    #expect(TypeInformation(sound)?.size("page") == 64)
    #expect(TypeInformation([]) == nil)
    for end in 0..<sound.count { #expect(TypeInformation(Array(sound[..<end])) == nil) }
    // A kind that is not known, and more members than there is room for.
    for (place, value) in [(24 + 7, 31), (24 + 16 + 4, 2)] as [(Int, UInt8)] {
      var broken = sound
      broken[place] = value
      #expect(TypeInformation(broken) == nil)
    }
    // Types that are made of themselves.
    model.add("loop", 8, word: 3)
    model.add("inside", 4, parts: [("", 4, 0), ("", 4, 0), ("", 4, 0)], word: 8)
    let types = try #require(TypeInformation(model.bytes))
    #expect(types.size("loop") == nil)
    #expect(types.member("inside", "flags") == nil)
    #expect(types.member("loop", "flags") == nil)
  }

  @Test(arguments: ModelKernel.Symbols.allCases) func symbolsAreFound(_ form: ModelKernel.Symbols)
    throws
  {
    let kernel = ModelKernel(symbols: form)
    let guest = try guest(form)
    for (name, address) in kernel.known where name != "twice" {
      #expect(try guest.symbol(name) == address, "\(name)")
    }
    // Which of the two is meant nobody can tell.
    #expect(try guest.symbol("twice") == nil)
    for name in ["", "T_stext", "_stex", "_stextt", "nothing"] {
      #expect(try guest.symbol(name) == nil, "\(name)")
    }
  }

  @Test func theFactsAreThoseOfTheKernel() throws {
    let facts = try guest().facts
    #expect(facts.release == "6.1.0-test")
    #expect(facts.banner == "Linux version 6.1.0-test (a model)")
    #expect(facts.commandLine == "console=model")
    #expect(facts.pagingLevels == 4)
    #expect(facts.isPoisoningFreePages == true)
    let started: Int64 = 1_767_139_200_500_000_000
    #expect(facts.bootTime == started)
  }

  @Test func aClockThatContradictsItselfIsNone() throws {
    let kernel = ModelKernel()
    kernel.writeText()
    kernel.memory[u64: kernel.physical(kernel.data) + 0x520] += 1
    let guest = try LinuxGuest.find(in: kernel.memory, kernel.clues())
    #expect(try guest.facts.bootTime == nil)
  }
}
