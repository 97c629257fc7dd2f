// Numbers that tell one exchange from another.
import Synchronization

enum HTTPSerial {
  private static let counter = Atomic<UInt64>(0)

  static func next() -> UInt64 { counter.wrappingAdd(1, ordering: .relaxed).newValue }
}
