import CheckpointCodec
import CheckpointImage
import Formats
import Glibc
import GuestMemory
import Storage

/// Prints what is found of the kernel in plain memory, for a comparison with what the guest itself said:
/// FILE [CR3] [SYMBOL]...; without CR3 (or `-`) all memory is searched. Ends with 1 if the kernel's type information
/// contradicts what VMCOREINFO says of the same structure.
@main struct GuestFactsTool {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 2 else {
      print("usage: guest-facts FILE [CR3|-] [SYMBOL]...")
      exit(64)
    }
    let source = try RawSource(InputStream(arguments[1]))
    guard let memory = source.sourceMemory?.memory else { exit(2) }
    var clues = MemoryClues()
    if arguments.count > 2, let register = UInt64(arguments[2], radix: 16) {
      clues.pageTables = [register]
    }
    let clock = ContinuousClock()
    let start = clock.now
    let guest: LinuxGuest
    do { guest = try LinuxGuest.find(in: memory, clues) } catch {
      print("\(error)\nafter \(clock.now - start)")
      exit(1)
    }
    let facts = try guest.facts
    print("release \(facts.release)")
    print("banner \(facts.banner ?? "unknown")")
    print("command line \(facts.commandLine ?? "unknown")")
    print("boot time \(facts.bootTime.map { "\($0 / 1_000_000_000)" } ?? "unknown")")
    print("levels \(facts.pagingLevels)")
    print("poison \(facts.isPoisoningFreePages.map { "\($0)" } ?? "unknown")")
    for name in arguments.dropFirst(3) {
      print("symbol \(name) \(try guest.symbol(name).map { String($0, radix: 16) } ?? "unknown")")
    }
    let types = try compare(guest)
    print("types \(types.equal) equal, \(types.different.count) different")
    for line in types.different { print(line) }
    print("after \(clock.now - start)")
    if types.equal == 0 || !types.different.isEmpty { exit(1) }
  }

  /// What both VMCOREINFO and the types say of sizes and offsets.
  private static func compare(_ guest: LinuxGuest) throws -> (equal: Int, different: [String]) {
    var result: (equal: Int, different: [String]) = (0, [])
    guard let types = try guest.types else { return result }
    for line in String(decoding: guest.information.text, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(whereSeparator: { "()=".contains($0) }).map { String($0) }
      guard parts.count == 3, let value = Int(parts[2]) else { continue }
      let path = parts[1].split(separator: ".", maxSplits: 1).map { String($0) }
      let found: Int? =
        switch parts[0] {
        case "SIZE": types.size(parts[1])
        case "OFFSET" where path.count == 2: types.member(path[0], path[1])?.offset
        default: nil
        }
      guard let found else { continue }
      if found == value {
        result.equal += 1
      } else {
        result.different.append("\(line): the types say \(found)")
      }
    }
    return result
  }
}
