internal import CheckpointImage
internal import Glibc
internal import Synchronization

/// Limits the open descriptors of a chain to 40, however long it is: the least recently used file is closed,
/// and opened again when it is needed. Together with outputs, standard streams and descriptors of system
/// libraries, a process that reads one chain stays below 64.
package final class OpenFiles: Sendable {
  private static let limit = 40

  private struct Entry {
    var descriptor: Int32
    var users = 0
    var lastUse: UInt64 = 0
  }

  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    var clock: UInt64 = 0
  }

  private let state = Mutex(State())

  /// A group without open files.
  package init() {}

  /// A descriptor of `file`, open until `release`.
  func acquire(_ file: LocalFile) throws(CheckpointError) -> Int32 {
    let result: Result<Int32, CheckpointError> = state.withLock { state in
      state.clock += 1
      let id = ObjectIdentifier(file)
      if state.entries[id] == nil {
        if state.entries.count >= Self.limit { Self.closeOldest(&state) }
        do throws(CheckpointError) {
          state.entries[id] = Entry(descriptor: try file.openDescriptor())
        } catch {
          return .failure(error)
        }
      }
      state.entries[id]?.users += 1
      state.entries[id]?.lastUse = state.clock
      return .success(state.entries[id]?.descriptor ?? -1)
    }
    return try result.get()
  }

  func release(_ file: LocalFile) {
    state.withLock { $0.entries[ObjectIdentifier(file)]?.users -= 1 }
  }

  func forget(_ id: ObjectIdentifier) {
    state.withLock {
      if let entry = $0.entries.removeValue(forKey: id) { close(entry.descriptor) }
    }
  }

  private static func closeOldest(_ state: inout State) {
    let oldest = state.entries.filter { $0.value.users == 0 }.min {
      $0.value.lastUse < $1.value.lastUse
    }
    if let oldest {
      close(oldest.value.descriptor)
      state.entries[oldest.key] = nil
    }
  }
}
