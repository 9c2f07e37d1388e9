internal import CheckpointImage
internal import Glibc

/// Other programs, as makers of what a test reads and as judges of what it wrote.
package enum Program {
  /// Whether all of these are installed; a test that needs one that is not has nothing to say.
  package static func areThere(_ names: String...) -> Bool {
    names.allSatisfy { name in
      path.split(separator: ":").contains { unsafe access("\($0)/\(name)", X_OK) == 0 }
    }
  }

  /// Where the tools of this build lie: beside the program that runs the tests.
  package static let toolFolder: String = {
    var target = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &target, 4095)
    let program = String(
      decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return program.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
  }()

  private static var path: String {
    unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
  }

  /// Runs a program in a test's folder, and gives what it wrote to standard output.
  ///
  /// - Parameter input: what it reads from standard input.
  package static func run(_ arguments: [String], in folder: TestFolder, input: [UInt8] = []) throws
    -> [UInt8]
  {
    let (source, result) = (".program-input", ".program-output")
    try folder.write(input, as: source)
    defer {
      folder.remove(source)
      folder.remove(result)
    }
    let status = try start(
      arguments, in: folder.path(""), from: folder.path(source), to: folder.path(result))
    guard status == 0 else {
      throw CheckpointError(.io, "ended with \(status)", file: arguments.joined(separator: " "))
    }
    return try folder.bytes(result)
  }

  /// Starts a program and waits for its end; returns how it ended.
  private static func start(
    _ arguments: [String], in folder: String, from source: String, to result: String
  ) throws -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, source, O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, result, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    let home = unsafe getenv("HOME").map { unsafe String(cString: $0) } ?? "/"
    let variables = ["PATH=\(path)", "HOME=\(home)", "LC_ALL=C.UTF-8"]
    var words = unsafe (["env", "-C", folder] + arguments).map { unsafe strdup($0) } + [nil]
    var environment = unsafe variables.map { unsafe strdup($0) } + [nil]
    defer { unsafe (words + environment).forEach { unsafe free($0) } }
    var process: pid_t = 0
    let failure = unsafe posix_spawnp(
      &process, "env", &actions, nil, &words, &environment)
    guard failure == 0 else {
      throw CheckpointError(.io, "cannot start: error \(failure)", file: arguments[0])
    }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw CheckpointError(.io, "waitpid", file: arguments[0]) }
    }
    return status
  }
}
