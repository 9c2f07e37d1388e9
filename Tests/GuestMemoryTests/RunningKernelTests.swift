import CheckpointCodec
import CheckpointImage
import FuzzTargets
import Glibc
import GuestMemory
import Storage
import TestSupport
import Testing

/// Finding the kernel by the page tables of processors.
@Suite struct RunningKernelTests {
  @Test(arguments: [4, 5]) func theKernelsOwnPointerIsFollowed(levels: Int) throws {
    let kernel = ModelKernel(levels: levels)
    kernel.writeText()
    let guest = try LinuxGuest.find(in: kernel.memory, kernel.clues())
    #expect(guest.tables.levels == levels)
    // The lower bits of CR3 are no part of the address.
    #expect(kernel.refusal(kernel.clues(pageTables: kernel.root | 0x18)) == nil)
  }

  @Test func anotherKernelInItsPlaceIsNoticed() throws {
    let kernel = ModelKernel()
    kernel.writeText()
    let guest = try LinuxGuest.find(in: kernel.memory, kernel.clues())
    #expect(try guest.isRunning(on: kernel.clues()))
    // The tables of a process where the kernel hides its memory: the kernel's own are the page before.
    #expect(try !guest.isRunning(on: kernel.clues(pageTables: kernel.root + 0x2000)))
    var clues = kernel.clues()
    clues.pageTables.append(kernel.root + 0x4000)
    #expect(try !guest.isRunning(on: clues))
    #expect(try !guest.isRunning(on: MemoryClues()))
    // Another one, at the same addresses but in other memory, in the same top table.
    let text = try #require(guest.information.symbol("_stext"))
    let physical = try #require(try guest.translate(text))
    var free: PFN = 4000
    let other: UInt64 = 3990 << 12
    kernel.memory.map(text, to: physical + 0x1000, root: other, levels: 4, free: &free)
    #expect(try !guest.isRunning(on: kernel.clues(pageTables: other)))
  }

  @Test func theCostDoesNotGrowWithMemory() throws {
    let small = ModelKernel(limit: 4096)
    let large = ModelKernel(limit: 1 << 27)
    for kernel in [small, large] {
      kernel.writeText()
      kernel.memory.copied = 0
      _ = try LinuxGuest.find(in: kernel.memory, kernel.clues())
    }
    #expect(small.memory.copied == large.memory.copied)
    #expect(small.memory.copied < 64)
  }

  @Test func whatAProcessWritesIsNotTaken() {
    let kernel = ModelKernel()
    // A page of a process, with a text that fits: the kernel's page tables and all, but other offsets.
    kernel.memory.write(kernel.text(release: "6.1.0-planted"), at: 0x71_0000)
    #expect(kernel.refusal(kernel.clues())?.contains("no VMCOREINFO") == true)
    kernel.writeText()
    let found = try? LinuxGuest.find(in: kernel.memory, kernel.clues())
    #expect(found?.information.release == "6.1.0-test")
    // Without processors nobody could say which it is.
    #expect(kernel.refusal()?.contains("two different") == true)
  }

  @Test func theKernelIsSoughtWhereProcessesDoNotSeeIt() throws {
    var kernel = ModelKernel()
    kernel.writeText()
    // The second of two tables: of the kernel it maps a page of code, to enter it.
    let seen = kernel.root + 0x1000
    kernel.memory.map(
      kernel.stext, to: kernel.physical(kernel.stext), root: seen, levels: 4, free: &kernel.free,
      flags: 1)
    // That page is also the kernel's second page of variables.
    #expect(kernel.physical(kernel.data) == seen)
    #expect(kernel.refusal(kernel.clues(pageTables: seen)) == nil)
  }

  @Test func aTextOfAnotherKernelIsRefused() {
    let kernel = ModelKernel()
    kernel.memory.write(kernel.text(root: kernel.root + 0x1000) + [0], at: kernel.textPage)
    #expect(kernel.refusal(kernel.clues())?.contains("do not map") == true)
    #expect(
      kernel.refusal(kernel.clues(pageTables: 0x3_0000))?.contains("map a kernel") == true)
    #expect(kernel.refusal(kernel.clues(pageTables: .max))?.contains("map a kernel") == true)
  }
}

/// Inputs for fuzzing: `VMCKPT_WRITE_SEEDS=FOLDER swift test --filter FuzzSeedTests` writes them.
@Suite struct FuzzSeedTests {
  @Test(arguments: [4, 5]) func aModelIsAccepted(levels: Int) throws {
    for symbols in ModelKernel.Symbols.allCases {
      let kernel = ModelKernel(levels: levels, symbols: symbols)
      kernel.writeText()
      for register in [nil, kernel.root] {
        let input = GuestTarget.input(kernel.memory, pageTables: register)
        #expect(GuestTarget.run(input) == .accepted)
        guard let folder = unsafe getenv("VMCKPT_WRITE_SEEDS") else { continue }
        let name = "\(levels)-\(symbols)\(register == nil ? "" : "-running")"
        let output = try OutputFile(
          unsafe "\(String(cString: folder))/\(name)", force: true, sync: false)
        try output.write(input)
        try output.commit()
      }
    }
  }
}

/// Whatever is in memory: an answer or a refusal, soon.
@Suite struct HostileMemoryTests {
  @Test func damagedKernelsEndInAnAnswerOrAnError() throws {
    var random = SplitMix64.forTest("damagedKernels")
    for round in 0..<200 {
      let kernel = ModelKernel(
        levels: round % 2 == 0 ? 4 : 5, limit: 1 << 12,
        symbols: ModelKernel.Symbols.allCases[round % 3])
      kernel.writeText()
      let pages = kernel.memory.pages.keys.sorted()
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        damage(kernel, pages, &random)
      }
      let clues = round % 4 < 2 ? kernel.clues() : MemoryClues()
      let time = ContinuousClock().measure { use(kernel.memory, clues) }
      // A build for debugging takes ten times as long.
      #expect(time < .seconds(20), "round \(round)")
    }
  }

  /// All on pages that a cache of fixed places would keep in the same one.
  @Test func tablesThatLeadNowhereCostLittle() throws {
    let memory = ModelMemory(limit: 1 << 16)
    let table = { (number: UInt64) in number << 9 }
    var clues = MemoryClues()
    for processor in 0..<8 as Range<UInt64> {
      memory[u64: table(20 + processor) << 12 | 511 * 8] = table(1) << 12 | 3
      clues.pageTables.append(table(20 + processor) << 12)
    }
    for (number, entries) in [(1, 510..<512), (2, 0..<512)] as [(UInt64, Range<UInt64>)] {
      for entry in entries {
        memory[u64: table(number) << 12 | entry * 8] = table(number + 1) << 12 | 3
      }
    }
    memory[u64: table(3) << 12] = 0
    let error = #expect(throws: CheckpointError.self) { try LinuxGuest.find(in: memory, clues) }
    #expect(error?.kind == .refused)
    #expect(error?.reason.contains("no processor's page tables map a kernel") == true)
    #expect(memory.copied < 10_000)
  }

  /// One or a few words of a page that holds anything become something else that may hurt.
  private func damage(_ kernel: ModelKernel, _ pages: [PFN], _ random: inout SplitMix64) {
    let page = pages[Int.random(in: 0..<pages.count, using: &random)] << 12
    let used = (0..<512).filter { kernel.memory[u64: page + UInt64($0) * 8] != 0 }
    let place = page + UInt64(used.randomElement(using: &random) ?? 0) * 8
    let old = kernel.memory[u64: place]
    switch Int.random(in: 0..<7, using: &random) {
    case 0: kernel.memory[u64: place] = old ^ 1 << UInt64.random(in: 0..<64, using: &random)
    case 1: kernel.memory[u64: place] = random.next()
    case 2: kernel.memory[u64: place] = .max
    // A table that leads to itself, all of it.
    case 3: for entry in 0..<512 { kernel.memory[u64: page + UInt64(entry) * 8] = page | 3 }
    case 4:
      // All entries lead to the same, wherever that is.
      for entry in 0..<512 { kernel.memory[u64: page + UInt64(entry) * 8] = old }
    case 5: kernel.memory.pages[page >> 12] = random.bytes(Limits.pageSize)
    default:
      var bytes = kernel.memory.pages[page >> 12] ?? []
      let byte = Int(place & 0xfff) + Int.random(in: 0..<8, using: &random)
      let values: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, UInt8(ascii: "9"), UInt8(ascii: "-")]
      bytes[byte] = values[Int.random(in: 0..<values.count, using: &random)]
      kernel.memory.pages[page >> 12] = bytes
    }
  }

  /// Asks for all there is to know.
  private func use(_ memory: ModelMemory, _ clues: MemoryClues) {
    do {
      let guest = try LinuxGuest.find(in: memory, clues)
      _ = try guest.facts
      _ = try guest.symbol("nothing")
      _ = try guest.translate(guest.information.symbol("mem_section") ?? 0)
      guard let types = try guest.types else { return }
      for name in ["page", "timekeeper", "bits"] {
        for path in ["flags", "_refcount.counter", "three", "nothing"] {
          _ = types.member(name, path)
        }
      }
      _ = types.enumerator("PG_dirty")
    } catch { #expect([.refused, .damaged].contains(error.kind)) }
  }
}
