import CheckpointCodec
import CheckpointImage
import Glibc
import GuestMemory
import Interchange

/// Writes what `PageClasses` and `DumpLevel` say of plain memory, one byte a page: FILE OUTPUT writes OUTPUT.classes,
/// and OUTPUT.N for each dump level N that is named behind.
@main struct PageClassesTool {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3 else {
      print("usage: page-classes FILE OUTPUT [LEVEL]...")
      exit(64)
    }
    let source = try RawSource(InputStream(arguments[1]))
    guard let memory = source.memory else { exit(2) }
    let guest = try LinuxGuest.find(in: memory, MemoryClues())
    let clock = ContinuousClock()
    let start = clock.now
    let classes = try PageClasses(of: guest)
    print(guest.information.release, "classified in \(clock.now - start)")
    let counts = classes.counts
    for `class` in PageClass.allCases { print("\(`class`) \(counts[`class`] ?? 0)") }
    print("frames \(classes.descriptorFrames.count), poisoned \(try classes.poisonedFreePages)")
    let again = clock.now
    let changed = try classes.update { _ in true }
    print("again in \(clock.now - again), changed \(changed.count)")
    try write((0..<memory.limit).map { classes[$0].rawValue }, arguments[2] + ".classes")
    for level in arguments.dropFirst(3).compactMap({ Int($0).flatMap { DumpLevel($0) } }) {
      let plan = try level.plan(of: guest)
      try write((0..<memory.limit).map { plan[$0].rawValue }, arguments[2] + ".\(level.rawValue)")
    }
  }

  private static func write(_ bytes: [UInt8], _ name: String) throws {
    let output = try OutputFile(name, force: true, sync: false)
    try output.write(bytes)
    try output.commit()
  }
}
