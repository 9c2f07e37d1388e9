import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import GuestMemory
import Inspection
import Pictures

/// Facts about a guest, and its pages by class.
struct GuestReport: Encodable {
  struct Share: Encodable {
    var name: String
    var pages: UInt64
    /// Pages that the image does not hold.
    var evicted: UInt64
    private var text: String

    private enum CodingKeys: CodingKey { case name, pages, evicted }

    init(_ kind: PageClass, _ share: ClassifiedMemory.Share) {
      name = "\(kind)"
      text = kind.name
      pages = share.pages
      evicted = share.evicted
    }

    func line(of total: UInt64, most: UInt64) -> String {
      let length = Int((pages * 40 + most - 1) / max(1, most))
      let tenths = pages * 1000 / max(1, total)
      let left = evicted == 0 ? "" : "  (\(evicted) evicted)"
      return "  " + Column.left(text, 20) + Column.right("\(pages)", 10)
        + Column.right(MemorySize.text(pages: pages), 12)
        + Column.right("\(tenths / 10).\(tenths % 10) %", 9) + "  "
        + String(repeating: "#", count: length) + left
    }
  }

  var release: String
  var banner: String?
  var boot: String?
  var commandLine: String?
  var pagingLevels: Int
  var kernelOffset: UInt64?
  var poisonsFreePages: Bool?
  /// What is wrong with the note that the source carried, if the text was found in memory.
  var unfittingVMCoreInfo: String?
  /// The most frequent first.
  var classes: [Share]
  /// The number of free blocks of 2^n pages, for each n from 0 on.
  var freeBlocks: [Int]

  init(_ memory: ClassifiedMemory) throws(CheckpointError) {
    let facts = try memory.guest.facts
    unfittingVMCoreInfo = facts.unfittingNote
    release = facts.release
    banner = facts.banner
    boot = facts.boot
    commandLine = facts.commandLine
    pagingLevels = facts.pagingLevels
    kernelOffset = facts.kernelOffset
    poisonsFreePages = facts.isPoisoningFreePages
    let shares = try memory.shares()
    classes = PageClass.allCases.compactMap { kind in shares[kind].map { Share(kind, $0) } }
      .sorted { ($1.pages, $0.name) < ($0.pages, $1.name) }
    freeBlocks = memory.classes.freeBlocks
  }

  /// The lines for people.
  var lines: [String] {
    var lines = ["kernel         Linux \(release)"]
    if let banner { lines.append("banner         \(banner)") }
    if let boot { lines.append("started        \(boot)") }
    if let commandLine { lines.append("command line   \(commandLine)") }
    let offset = kernelOffset.map { ", kernel moved by \(Hexadecimal.string($0))" } ?? ""
    lines.append("page tables    \(pagingLevels) levels\(offset)")
    if let unfittingVMCoreInfo {
      lines.append(
        "VMCOREINFO     found in memory; the note of the source does not fit: \(unfittingVMCoreInfo)"
      )
    }
    if poisonsFreePages == true {
      lines.append("free pages     filled with a pattern that the kernel checks")
    }
    let total = classes.reduce(0) { $0 + $1.pages }
    lines.append("memory         \(Count.text(total, "page")), \(MemorySize.text(pages: total))")
    let most = classes.first?.pages ?? 0
    lines += classes.map { $0.line(of: total, most: most) }
    let blocks = freeBlocks.map { "\($0)" }.joined(separator: " ")
    lines.append("free blocks    \(blocks)  (of 1, 2, 4 and so on pages)")
    return lines
  }
}
