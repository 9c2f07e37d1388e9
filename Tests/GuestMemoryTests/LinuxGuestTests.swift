import CheckpointCodec
import CheckpointImage
import Formats
import GuestMemory
import Storage
import TestSupport
import Testing

@Suite struct LinuxGuestTests {
  @Test(arguments: [4, 5]) func theKernelIsFoundByItsOwnText(levels: Int) throws {
    let kernel = ModelKernel(levels: levels)
    kernel.memory.write(kernel.text(), at: 0x70_0000)
    let guest = try LinuxGuest.find(in: kernel.memory, MemoryClues())
    #expect(guest.information.release == "6.1.0-test")
    #expect(guest.information.size("page") == 64)
    #expect(guest.information.offset("page._refcount") == 52)
    #expect(guest.information.length("free_area.free_list") == 5)
    #expect(guest.information.number("PAGE_BUDDY_MAPCOUNT_VALUE") == -129)
    #expect(guest.tables.levels == levels)
    #expect(try guest.symbol("_stext") == kernel.stext)
    // In the middle of a 2 MiB page, and not mapped at all.
    #expect(try guest.translate(kernel.stext + 0x1_2345) == kernel.physicalBase + 0x61_2345)
    #expect(try guest.translate(kernel.data + 0x1000) == nil)
    // Not canonical.
    #expect(try guest.translate(kernel.stext & 0x7fff_ffff_ffff_ffff) == nil)
  }

  /// The search for a kernel costs what there is to be searched, wherever it lies.
  @Test(.timeLimit(.minutes(1))) func aPageFarAwayIsFoundAtOnce() throws {
    let folder = try TestFolder()
    try folder.write([UInt8](repeating: 0x41, count: Limits.pageSize), as: "page")
    let far = MemoryExtent(address: ((1 << 40) - 1) << 12, offset: 0, length: 4096)
    let memory = ExtentMemory(try LocalFile(folder.path("page")), [far])
    #expect(memory.runs == [(1 << 40) - 1..<1 << 40])
    let error = #expect(throws: CheckpointError.self) {
      _ = try LinuxGuest.find(in: memory, MemoryClues())
    }
    #expect(error?.description.contains("no VMCOREINFO in this memory") == true)
  }

  @Test func bytesGoAcrossPages() throws {
    var kernel = ModelKernel()
    let place = ModelKernel.imageBase + 0xc0_0000
    kernel.map(place, to: 0x50_0000)
    kernel.map(place + 0x1000, to: 0x40_0000)
    kernel.memory.write(Array("across".utf8), at: 0x50_0ffa)
    kernel.memory.write(Array(" pages".utf8), at: 0x40_0000)
    kernel.memory.write(kernel.text(), at: 0x70_0000)
    let guest = try LinuxGuest.find(in: kernel.memory, MemoryClues())
    #expect(try guest.bytes(at: place + 0xffa, count: 12) == Array("across pages".utf8))
    #expect(try guest.bytes(at: place + 0xffa, count: 0x1007) == nil)
    #expect(try guest.bytes(at: .max, count: 2) == nil)
    #expect(try guest.bytes(at: place, count: -1) == nil)
  }

  @Test func twoKernelsThatBothFitAreRefused() {
    let kernel = ModelKernel()
    kernel.memory.write(kernel.text(), at: 0x70_0000)
    kernel.memory.write(kernel.text(), at: 0x90_0000)
    #expect(kernel.refusal() == nil)
    kernel.memory.write(kernel.text(release: "6.2.0"), at: 0x91_0000)
    #expect(kernel.refusal()?.contains("two different") == true)
  }

  @Test func whatDoesNotFitIsRefused() {
    let kernel = ModelKernel()
    #expect(kernel.refusal()?.contains("no VMCOREINFO") == true)
    kernel.memory.write(kernel.text(root: kernel.root + 0x1000), at: 0x70_0000)
    #expect(kernel.refusal()?.contains("do not map") == true)
    for page in 0..<64 { kernel.memory.write(kernel.text(), at: 0xd0_0000 + UInt64(page) << 12) }
    #expect(kernel.refusal()?.contains("64 pages") == true)
    var clues = MemoryClues()
    clues.vmcoreinfo = Array("OSRELEASE=1\nPAGESIZE=4096\n".utf8)
    #expect(kernel.refusal(clues)?.contains("where") == true)
  }

  /// Tables that lead back to themselves end after as many steps as there are levels.
  @Test func tablesThatLeadInCirclesEnd() throws {
    let kernel = ModelKernel(levels: 5)
    kernel.memory.write(kernel.text(), at: 0x70_0000)
    let guest = try LinuxGuest.find(in: kernel.memory, MemoryClues())
    for place in 0..<256 { kernel.memory[u64: 0x3_0000 + UInt64(place) * 8] = 0x3_0003 }
    kernel.memory[u64: kernel.root] = 0x3_0003
    guest.refresh()
    var steps = 0
    #expect(try guest.mapping(of: 0x1000) { _ in steps += 1 }?.physical == 0x3_0000)
    #expect(steps == 5)
  }
}
