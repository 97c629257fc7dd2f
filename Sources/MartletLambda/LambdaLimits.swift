// Every limit of the service, in one place, each settable (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
import MartletCore

package struct LambdaLimits: Sendable {
  /// Environments that may work at the same time in one account and region.
  package var concurrentExecutions = 1000
  /// Environments by which a function may grow at once, and again in each `scalingPeriod`; nil: any number.
  package var scalingRate: Int? = 1000
  package var scalingPeriod = Duration.seconds(10)
  /// Invocations each second for each unit of concurrency that they may use; nil: any number. AWS has 10.
  package var requestRate: Int?
  /// Memory of the host that is left free; nil: a part of it (HostMemory.swift).
  package var memoryReserve: ByteCount?
  /// What an environment is taken to use as long as its function has had none.
  package var unknownMemory = ByteCount.mebibytes(32)
  /// What reservations must leave to functions without one; less if the account has less.
  package var unreservedMinimum: Int { min(100, concurrentExecutions) }
  /// Zipped package in a request.
  package var codeSizeZipped = ByteCount.bytes(52_428_800)
  /// Package and layers, unpacked.
  package var codeSizeUnzipped = ByteCount.bytes(262_144_000)
  /// An image, as it is stored and unpacked, and how many files all of its layers may have.
  package var imageSize = ByteCount.bytes(10_737_418_240)
  package var imageEntries = 2_000_000
  /// All packages of an account.
  package var totalCodeSize = ByteCount.bytes(80_530_636_800)
  /// A whole control-plane request.
  package var requestSize = ByteCount.bytes(70_167_211)
  /// Payload of a synchronous invocation.
  package var invokeRequest = ByteCount.bytes(6_291_456)
  /// Payload of an asynchronous invocation.
  package var asynchronousInvokeRequest = ByteCount.bytes(1_048_576)
  /// Payload of InvokeAsync, which never got the larger limit.
  package var invokeAsyncRequest = ByteCount.bytes(262_144)
  /// Answer of a function: 6 MiB and 100 bytes.
  package var invokeResponse = ByteCount.bytes(6_291_556)
  /// A streamed answer of a function.
  package var streamedResponse = ByteCount.bytes(209_715_200)
  /// Bytes that it may have each second after the first 6 MiB; nil: as fast as it goes. AWS has 2 MiB.
  package var streamingRate: ByteCount?
  /// Environment variables of a function, as compact JSON.
  package var environmentSize = ByteCount.bytes(4096)
  package var tags = 50
  /// Layers of a function.
  package var layers = 5
  /// The policy of a layer version, as JSON.
  package var layerPolicySize = ByteCount.bytes(20_480)
  /// How long an environment may initialise before its first invocation takes over.
  package var initDuration = Duration.seconds(10)
  /// The same for provisioned concurrency, unless the function's own time-out is longer.
  package var provisionedInitDuration = Duration.seconds(130)
  /// How long the hooks of a version with SnapStart may take after its snapshot was restored.
  package var restoreDuration = Duration.seconds(10)
  /// Descriptors of a process and processes of an environment.
  package var descriptors = 1024
  package var processes = 1024
  /// The tail of the log that an invocation can ask for.
  package var logTail = ByteCount.bytes(4096)
  /// How long a link to a deployment package works.
  package var codeLinkLifetime = Duration.seconds(600)

  package init() {}
}
