// What is different in a directory since it was brought in last.
import MartletCore

struct DirectoryDelta {
  /// New, or not known to be what they were, in the order of the snapshot.
  private(set) var changed: [DirectorySnapshot.Entry] = []
  /// What was there before and is gone, or has become something else; in the order of the snapshot before.
  private(set) var gone: [DirectorySnapshot.Entry] = []

  init(from before: DirectorySnapshot, to after: DirectorySnapshot) {
    // An edit leaves nearly everything as it is, in its place.
    let (old, new) = (before.entries, after.entries)
    func isSame(_ a: DirectorySnapshot.Entry, _ b: DirectorySnapshot.Entry) -> Bool { a == b && !before.isFresh(a) }
    var start = 0
    while start < min(old.count, new.count), isSame(old[start], new[start]) { start += 1 }
    var end = 0
    while end < min(old.count, new.count) - start, isSame(old[old.count - 1 - end], new[new.count - 1 - end]) {
      end += 1
    }
    let middle = old[start..<(old.count - end)]
    var known = Dictionary(middle.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
    for entry in new[start..<(new.count - end)] {
      guard let was = known[entry.path] else {
        changed.append(entry)
        continue
      }
      if isSame(was, entry) {
        known[entry.path] = nil
        continue
      }
      changed.append(entry)
      // A directory stays for what is in it.
      if was.kind == .directory, entry.kind == .directory { known[entry.path] = nil }
    }
    gone = middle.filter { known[$0.path] != nil }
  }

  /// True if both say the same of what has changed.
  func says(_ a: [String: String], _ b: [String: String]) -> Bool { changed.allSatisfy { a[$0.path] == b[$0.path] } }
}
