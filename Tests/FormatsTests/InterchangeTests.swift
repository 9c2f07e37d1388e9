import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Formats
import KdumpLibrary
import Operations
import Storage
import TestSupport
import Testing

/// What is captured from a source comes back as it was, or is refused.
@Suite struct InterchangeTests {
  private let folder: TestFolder
  private let pool = WorkerPool()

  init() throws { folder = try TestFolder() }

  private func capture(_ bytes: [UInt8], _ format: FileFormat) throws {
    try folder.write(bytes, as: "source")
    let input = try InputStream(folder.path("source"))
    let output = try OutputFile(folder.path("image"), force: true, sync: false)
    _ = try Capture(settings: CodecSettings(), parent: nil, provenance: Provenance())
      .run(.source(format.open(input, kdump: KdumpSource.open)), to: output, on: pool)
    try output.commit()
  }

  /// Whether an export is these bytes; an expectation on the arrays themselves would print them.
  private func restores(_ format: FileFormat, _ bytes: [UInt8]) throws -> Bool {
    try restore(format) == bytes
  }

  private func restore(_ format: FileFormat, configuration: GivenConfiguration? = nil) throws
    -> [UInt8]
  {
    let chain = try Chain.open(folder.path("image"))
    let output = try OutputFile(folder.path("restored"), force: true, sync: false)
    _ = try Export.run(
      chain, as: format, configuration: configuration, to: output, on: pool)
    try output.commit()
    return try folder.bytes("restored")
  }

  @Test func saveComesBack() throws {
    let save = SmallSave.bytes()
    try capture(save, .xen(.xl))
    #expect(try restores(.xen(.xl), save))
    // The streams inside are parts of it.
    let libxl = try restore(.xen(.libxl))
    let isPart = save.suffix(libxl.count).elementsEqual(libxl)
    #expect(isPart)
    let libxc = try restore(.xen(.libxc))
    #expect(save.firstRange(of: libxc) != nil)
  }

  /// Random damage to a save file: it is refused, or what comes back is that very file.
  @Test func damagedSaves() throws {
    var random = SplitMix64.forTest("damaged saves")
    let save = SmallSave.bytes()
    // The interesting bytes are few; those inside pages are not.
    let interesting = save.indices.filter { place in
      place < 400 || place + 16 >= save.count || save[max(0, place - 20)] != save[place]
    }
    var refused = 0
    for _ in 0..<1500 {
      var bytes = save
      let place = interesting.randomElement(using: &random) ?? 0
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[place] = 0xff
      case 2:
        for offset in place..<min(place + 4, bytes.count) { bytes[offset] = 0xff }
      default: bytes.removeLast(bytes.count - place)
      }
      do {
        try capture(bytes, .xen(.xl))
        // A page that now comes twice is exported once.
        if try ImageFile(folder.path("image")).root.layout == .exact {
          let restored = try restore(.xen(.xl))
          #expect(restored == bytes, "byte \(place)")
        }
      } catch let error as CheckpointError {
        refused += 1
        let acceptable: [CheckpointError.Kind] = [
          .damaged, .incomplete, .unsupported, .refused, .mismatch,
        ]
        #expect(acceptable.contains(error.kind), "\(error)")
        #expect(error.offset != nil, "\(error)")
      }
      folder.remove("image")
    }
    #expect(refused > 500)
  }

  @Test func rawMemoryComesBack() throws {
    var random = SplitMix64.forTest("raw memory")
    for pages in [1, 255, 256, 257, 700] {
      var memory: [UInt8] = []
      for _ in 0..<pages {
        let fill: UInt8 = Bool.random(using: &random) ? 0 : 7
        memory += [UInt8](repeating: fill, count: Limits.pageSize)
      }
      try capture(memory, .raw)
      #expect(try restores(.raw, memory))
    }
  }

  @Test func partOfAPageIsRefused() throws {
    for length in [1, 4095, 4097, 3 * 4096 + 5] {
      let error = #expect(throws: CheckpointError.self) {
        try capture([UInt8](repeating: 1, count: length), .raw)
      }
      #expect(error?.offset == UInt64(length / 4096 * 4096))
      #expect(!folder.names.contains("image"))
    }
  }

  @Test func kindsAreRecognised() throws {
    func recognise(_ bytes: [UInt8]) throws -> FileFormat {
      try folder.write(bytes, as: "source")
      return try FormatTable.recognise(InputStream(folder.path("source")))
    }
    #expect(try recognise(SmallSave.bytes()) == .xen(.xl))
    #expect(try recognise(SmallSave.libxl()) == .xen(.libxl))
    #expect(try recognise(SmallSave.libxc()) == .xen(.libxc))
    #expect(try recognise(SmallSave.libvirt()) == .xen(.libvirt))
    #expect(try recognise(SmallSave.xenServer()) == .xen(.xenServer))
    try capture(SmallSave.bytes(), .xen(.xl))
    let oldXenServer = Array("XenSavedDomain\n".utf8)
    var errors: [String] = []
    for bytes in [try folder.bytes("image"), oldXenServer, [], [UInt8](repeating: 0, count: 4096)] {
      let error = #expect(throws: CheckpointError.self) { try recognise(bytes) }
      #expect(error?.kind == (bytes.isEmpty ? .incomplete : .refused) && error?.offset == 0)
      errors.append(error?.reason ?? "")
    }
    let said = ["image already", "before 7.0", "is empty", "known format"]
    #expect(zip(errors, said).allSatisfy { $0.contains($1) }, "\(errors)")
  }

  /// What people take for memory and is not: each is named, and no row hides another.
  @Test func foreignFilesAreNamed() throws {
    var names: Set<String> = []
    for row in FormatTable.rows {
      guard case .refused(let reason, let hint) = row.use else { continue }
      let bytes = [UInt8](repeating: 0, count: row.offset) + row.start
      try folder.write(bytes + [UInt8](repeating: 0, count: 8192 - bytes.count), as: "source")
      let error = #expect(throws: CheckpointError.self) {
        try FormatTable.recognise(InputStream(folder.path("source")))
      }
      #expect(error?.kind == .refused && error?.reason == reason && error?.hint == hint)
      // As plain memory it can be taken all the same, but not without a word.
      #expect(FormatTable.kind(bytes) == reason)
      names.insert(reason)
    }
    #expect(names.count >= 25)
    #expect(FormatTable.kind([UInt8](repeating: 0, count: 4096)) == nil)
  }

  @Test func elfFilesOfOtherMachinesAreNamed() throws {
    let others: [(class: UInt8, order: UInt8, machine: UInt8, name: String)] = [
      (2, 1, 183, "arm64"), (2, 1, 243, "riscv"), (2, 1, 3, "i386"), (1, 1, 3, "i386"),
      (2, 2, 22, "big-endian"), (1, 1, 62, "32 bits"),
    ]
    for other in others {
      var head =
        [0x7f, 0x45, 0x4c, 0x46, other.class, other.order, 1] + [UInt8](repeating: 0, count: 4089)
      head[16] = 4
      head[18] = other.machine
      try folder.write(head, as: "source")
      let error = #expect(throws: CheckpointError.self) {
        try FileFormat.dump(.elf).open(InputStream(folder.path("source")), kdump: KdumpSource.open)
      }
      #expect(error?.kind == .refused && error?.reason.contains(other.name) == true)
    }
  }

  /// An export that lacks something the image has not, or would lose something that it has.
  private func expectRefused(_ format: FileFormat, _ lacking: String) {
    let error = #expect(throws: CheckpointError.self, "\(format)") { try restore(format) }
    #expect(error?.kind == .refused && error?.file == folder.path("image"))
    #expect(error?.reason.contains(lacking) == true, "\(error as Any)")
  }

  /// Every format comes back from an image of it, and the parts it has from an image of any other.
  @Test func formatsComeBack() throws {
    let libxc = SmallSave.libxc()
    let libxl = SmallSave.libxl()
    try capture(libxc, .xen(.libxc))
    #expect(try restores(.xen(.libxc), libxc))
    expectRefused(.xen(.xl), "has no domain configuration")
    expectRefused(.xen(.libvirt), "not captured from a libvirt save file")
    // The libxl stream that is made around it has no device model.
    try capture(try restore(.xen(.libxl)), .xen(.libxl))
    #expect(try restores(.xen(.libxc), libxc))

    try capture(libxl, .xen(.libxl))
    #expect(try restores(.xen(.libxl), libxl))
    #expect(try restores(.xen(.libxc), libxc))
    expectRefused(.xen(.xenServer), "not captured from a XenServer suspend image")

    try capture(SmallSave.libvirt(), .xen(.libvirt))
    #expect(try restores(.xen(.libvirt), SmallSave.libvirt()))
    #expect(try restores(.xen(.libxl), libxl))

    try capture(SmallSave.xenServer(), .xen(.xenServer))
    #expect(try restores(.xen(.xenServer), SmallSave.xenServer()))
    #expect(try restores(.xen(.libxc), libxc))
    expectRefused(.xen(.libxl), "device-model state in XenServer's form only")
    try capture(SmallSave.xenServer(withEmulator: false), .xen(.xenServer))
    let wrapped = try restore(.xen(.libxl))
    #expect(wrapped.firstRange(of: libxc) != nil)
  }

  /// A configuration can be given where there is none, and in place of the one that is there.
  @Test func configurations() throws {
    let libxl = SmallSave.libxl()
    for (bytes, format) in [(libxl, FileFormat.xen(.libxl)), (SmallSave.bytes(), .xen(.xl))] {
      for text in ["{\"c_info\":{\"name\":\"other\"}}", "name = \"other\"\ntype = \"pvh\"\n"] {
        try capture(bytes, format)
        try folder.write(Array(text.utf8), as: "configuration")
        let given = try GivenConfiguration(folder.path("configuration"))
        let save = try restore(.xen(.xl), configuration: given)
        let isPart = save.suffix(libxl.count).elementsEqual(libxl)
        #expect(isPart)
        try capture(save, .xen(.xl))
        #expect(try restores(.xen(.xl), save))
        let records = try Chain.open(folder.path("image")).completeRecords()
        let found = records.first { $0.key.namespace == .xl }?.payload
        // In JSON the text is a C string.
        #expect(found == Array(text.utf8) + (text.hasPrefix("{") ? [0] : []))
      }
    }
  }

  /// What xl could not read is refused, and so is the configuration of another type of guest.
  @Test func badConfigurations() throws {
    try capture(SmallSave.libxl(), .xen(.libxl))
    let bad = [
      "", "root:x:0:0:root", "{ broken", "[{\"domid\":1,\"config\":{\"c_info\":{}}}]",
      "{\"domid\":1}",
      "name = \"a\"\u{1}", "memory = 64\n",
    ]
    for text in bad {
      try folder.write(Array(text.utf8), as: "configuration")
      let error = #expect(throws: CheckpointError.self, "\(text)") {
        _ = try GivenConfiguration(folder.path("configuration"))
      }
      #expect(error?.kind == .refused)
    }
    let others = [
      "name = \"a\"\n", "{\"c_info\":{\"type\":\"pv\"}}", "type=\"pv\"\nname='a' # a guest\n",
    ]
    for text in others {
      try folder.write(Array(text.utf8), as: "configuration")
      let given = try GivenConfiguration(folder.path("configuration"))
      let error = #expect(throws: CheckpointError.self, "\(text)") {
        _ = try restore(.xen(.xl), configuration: given)
      }
      #expect(error?.kind == .mismatch)
    }
  }

  /// Memory that a debugging save sends a second time is not taken as a change.
  @Test func verifiedMemoryIsIgnored() throws {
    try capture(SmallSave.libxc(), .xen(.libxc))
    let memory = try ImageFile(folder.path("image")).root.memory
    try capture(SmallSave.libxc(verified: true), .xen(.libxc))
    let root = try ImageFile(folder.path("image")).root
    #expect(root.memory == memory)
    #expect(root.layout == .canonical)
  }

  /// What comes behind VERIFY is no news, so that a later moment would be told from pages of an earlier one.
  @Test func checkpointBehindVerify() throws {
    let stream = SmallSave.checkpointed([1, 2], inLibxl: false, verified: true)
    let error = #expect(throws: CheckpointError.self) { try capture(stream, .xen(.libxc)) }
    #expect(error?.kind == .unsupported)
  }

  /// However much is wrong, a check tells the first of it.
  @Test func findingsHaveAnEnd() throws {
    try folder.write(SmallSave.libxc(parameters: 5000), as: "source")
    let check = XenStreamCheck(try InputStream(folder.path("source")), .libxc)
    try check.run()
    #expect(check.findings.count == 1000)
  }

  /// Of a checkpointed stream each moment becomes an image; one that was cut short does not.
  @Test(arguments: [false, true]) func momentsOfACheckpointedStream(inLibxl: Bool) throws {
    let moments: [UInt8] = [7, 7, 0, 9]
    let stream = SmallSave.checkpointed(moments, inLibxl: inLibxl)
    let whole = (1...moments.count).map {
      SmallSave.checkpointed(Array(moments.prefix($0)), inLibxl: inLibxl).count
    }
    for length in [stream.count, stream.count - 1, whole[2] + 1, whole[1], whole[1] - 1] {
      try folder.write(Array(stream.prefix(length)), as: "source")
      let input = try InputStream(folder.path("source"))
      let source = try FormatTable.recognise(input).open(input, kdump: KdumpSource.open)
      var names: [String] = []
      let series = CaptureSeries(
        Capture(settings: CodecSettings(), parent: nil, provenance: Provenance()),
        takesSeveral: true
      ) { [folder] (number) throws(CheckpointError) in
        try OutputFile(folder.path("image-\(number)"), force: true, sync: false)
      }
      let cut = try series.run(.source(source), on: pool) { name, _ in names.append(name) }
      let count = whole.count { $0 <= length }
      #expect(names.count == count)
      #expect((cut == nil) == whole.contains(length))
      for number in 0..<count {
        let chain = try Chain.open(folder.path("image-\(number)"))
        #expect(chain.images.count == number + 1)
        let page = try chain.pages(ofBlock: BlockNumber(0))?[0]
        #expect(page?.status.state == (moments[number] == 0 ? .zero : .data))
        let expected = [UInt8](repeating: moments[number], count: Limits.pageSize)
        if moments[number] != 0 { #expect(page?.digest == SHA256Hasher.digest(of: expected)) }
        let output = try OutputFile(folder.path("restored"), force: true, sync: false)
        _ = try Export.run(chain, as: .xen(.libxc), to: output, on: pool)
        try output.commit()
        // The export says the same as the moment it was made of.
        try capture(try folder.bytes("restored"), .xen(.libxc))
        #expect(try ImageFile(folder.path("image")).root.memory == chain.tip.root.memory)
      }
    }
  }

  @Test func severalMomentsNeedSeveralNames() throws {
    try folder.write(SmallSave.checkpointed([1, 2], inLibxl: true), as: "source")
    let input = try InputStream(folder.path("source"))
    let error = #expect(throws: CheckpointError.self) {
      let series = CaptureSeries(
        Capture(settings: CodecSettings(), parent: nil, provenance: Provenance()),
        takesSeveral: false
      ) { [folder] (_) throws(CheckpointError) in
        try OutputFile(folder.path("image"), force: true, sync: false)
      }
      _ = try series.run(.source(XenStreamSource(input, .libxl)), on: pool) { _, _ in }
    }
    #expect(error?.kind == .refused)
    #expect(!folder.names.contains("image"))
  }
}
