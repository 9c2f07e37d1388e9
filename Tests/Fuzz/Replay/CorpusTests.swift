import FuzzTargets
import Glibc
import Testing

/// Every input of the corpora holds its target's property: what fuzzing found once stays mended.
@Suite struct CorpusTests {
  private static let folder = #filePath.split(separator: "/").dropLast(2).reduce("") {
    "\($0)/\($1)"
  }

  private static func names(in folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// The bytes of a file, at most 1 MiB.
  private static func contents(_ path: String) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    return Array(bytes[..<max(0, count)])
  }

  @Test(arguments: FuzzTarget.allCases) func replay(_ target: FuzzTarget) {
    let folder = "\(Self.folder)/Corpus/\(target.rawValue)"
    let names = Self.names(in: folder)
    var accepted = 0
    for name in names {
      let input = Self.contents("\(folder)/\(name)")
      let outcome = target.run(input)
      if case .broken(let problem) = outcome {
        Issue.record("\(target.rawValue)/\(name): \(problem)")
      }
      accepted += outcome == .accepted ? 1 : 0
    }
    // Else nothing would get behind the first checks, in fuzzing neither.
    #expect(accepted > 0, "\(target.rawValue)")
  }
}
