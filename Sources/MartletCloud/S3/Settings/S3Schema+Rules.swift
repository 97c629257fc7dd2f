// Schemas of rules that concern some of a bucket's objects: lifecycle, replication, notification, reports.
extension S3Schema {
  static let event: S3Schema = .choice([
    "s3:ReducedRedundancyLostObject",
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:ObjectRestore:Delete",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectAcl:Put",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAnnotation:*",
    "s3:ObjectAnnotation:Put",
    "s3:ObjectAnnotation:Delete",
    "s3:ObjectRetention:Put",
  ])

  static let keyFilter: S3Schema = .of([
    .may("S3Key", .of([.many("FilterRule", .of([.may("Name", .text), .may("Value", .text)]))]))
  ])

  static let analytics: S3Schema = .of([
    .must("Id", .text),
    .may(
      "Filter",
      .of([
        .may("Prefix", .text),
        .may("Tag", S3Schema.tag),
        .may(
          "And",
          .of([
            .may("Prefix", .text),
            .many("Tag", S3Schema.tag),
          ])),
      ])),
    .must(
      "StorageClassAnalysis",
      .of([
        .may(
          "DataExport",
          .of([
            .must("OutputSchemaVersion", .choice(["V_1"])),
            .must(
              "Destination",
              .of([
                .must(
                  "S3BucketDestination",
                  .of([
                    .must("Format", .choice(["CSV"])),
                    .may("BucketAccountId", .text),
                    .must("Bucket", .text),
                    .may("Prefix", .text),
                  ]))
              ])),
          ]))
      ])),
  ])

  static let intelligentTiering: S3Schema = .of([
    .must("Id", .text),
    .may(
      "Filter",
      .of([
        .may("Prefix", .text),
        .may("Tag", S3Schema.tag),
        .may(
          "And",
          .of([
            .may("Prefix", .text),
            .many("Tag", S3Schema.tag),
          ])),
      ])),
    .must("Status", S3Schema.onOff),
    .some(
      "Tiering",
      .of([
        .must("Days", .integer),
        .must("AccessTier", .choice(["ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"])),
      ])),
  ])

  static let inventory: S3Schema = .of([
    .must(
      "Destination",
      .of([
        .must(
          "S3BucketDestination",
          .of([
            .may("AccountId", .text),
            .must("Bucket", .text),
            .must("Format", .choice(["CSV", "ORC", "Parquet"])),
            .may("Prefix", .text),
            .may(
              "Encryption",
              .of([
                .may("SSE-S3", .of([])),
                .may(
                  "SSE-KMS",
                  .of([
                    .must("KeyId", .text)
                  ])),
              ])),
          ]))
      ])),
    .must("IsEnabled", .flag),
    .may(
      "Filter",
      .of([
        .must("Prefix", .text)
      ])),
    .must("Id", .text),
    .must("IncludedObjectVersions", .choice(["All", "Current"])),
    .may(
      "OptionalFields",
      .of([
        .many(
          "Field",
          .choice([
            "Size", "LastModifiedDate", "StorageClass", "ETag", "IsMultipartUploaded", "ReplicationStatus",
            "EncryptionStatus", "ObjectLockRetainUntilDate", "ObjectLockMode", "ObjectLockLegalHoldStatus",
            "ObjectLockEventHoldStatus", "ObjectLockEventHoldDuration", "IntelligentTieringAccessTier",
            "BucketKeyStatus", "ChecksumAlgorithm", "ObjectAccessControlList", "ObjectOwner", "LifecycleExpirationDate",
            "IntelligentTieringReferenceDate",
          ]))
      ])),
    .must(
      "Schedule",
      .of([
        .must("Frequency", .choice(["Daily", "Weekly"]))
      ])),
  ])

  static let lifecycle: S3Schema = .of([
    .some(
      "Rule",
      .of([
        .may(
          "Expiration",
          .of([
            .may("Date", .moment),
            .may("Days", .integer),
            .may("ExpiredObjectDeleteMarker", .flag),
          ])),
        .may("ID", .text),
        .may("Prefix", .text),
        .may(
          "Filter",
          .of([
            .may("Prefix", .text),
            .may("Tag", S3Schema.tag),
            .may("ObjectSizeGreaterThan", .integer),
            .may("ObjectSizeLessThan", .integer),
            .may(
              "And",
              .of([
                .may("Prefix", .text),
                .many("Tag", S3Schema.tag),
                .may("ObjectSizeGreaterThan", .integer),
                .may("ObjectSizeLessThan", .integer),
              ])),
          ])),
        .must("Status", S3Schema.onOff),
        .many(
          "Transition",
          .of([
            .may("Date", .moment),
            .may("Days", .integer),
            .may(
              "StorageClass",
              .choice(["GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"])),
          ])),
        .many(
          "NoncurrentVersionTransition",
          .of([
            .may("NoncurrentDays", .integer),
            .may(
              "StorageClass",
              .choice(["GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"])),
            .may("NewerNoncurrentVersions", .integer),
          ])),
        .may(
          "NoncurrentVersionExpiration",
          .of([
            .may("NoncurrentDays", .integer),
            .may("NewerNoncurrentVersions", .integer),
          ])),
        .may(
          "AbortIncompleteMultipartUpload",
          .of([
            .may("DaysAfterInitiation", .integer)
          ])),
      ]))
  ])

  static let logging: S3Schema = .of([
    .may(
      "LoggingEnabled",
      .of([
        .must("TargetBucket", .text),
        .may(
          "TargetGrants",
          .of([
            .many(
              "Grant",
              .of([
                .may("Grantee", S3Schema.grantee),
                .may("Permission", .choice(["FULL_CONTROL", "READ", "WRITE"])),
              ]))
          ])),
        .must("TargetPrefix", .text),
        .may(
          "TargetObjectKeyFormat",
          .of([
            .may("SimplePrefix", .of([])),
            .may(
              "PartitionedPrefix",
              .of([
                .may("PartitionDateSource", .choice(["EventTime", "DeliveryTime"]))
              ])),
          ])),
      ]))
  ])

  static let metrics: S3Schema = .of([
    .must("Id", .text),
    .may(
      "Filter",
      .of([
        .may("Prefix", .text),
        .may("Tag", S3Schema.tag),
        .may("AccessPointArn", .text),
        .may(
          "And",
          .of([
            .may("Prefix", .text),
            .many("Tag", S3Schema.tag),
            .may("AccessPointArn", .text),
          ])),
      ])),
  ])

  static let notification: S3Schema = .of([
    .many(
      "TopicConfiguration",
      .of([
        .may("Id", .text),
        .must("Topic", .text),
        .some("Event", .text),
        .may("Filter", S3Schema.keyFilter),
      ])),
    .many(
      "QueueConfiguration",
      .of([
        .may("Id", .text),
        .must("Queue", .text),
        .some("Event", .text),
        .may("Filter", S3Schema.keyFilter),
      ])),
    .many(
      "CloudFunctionConfiguration",
      .of([
        .may("Id", .text),
        .must("CloudFunction", .text),
        .some("Event", .text),
        .may("Filter", S3Schema.keyFilter),
      ])),
    .may("EventBridgeConfiguration", .of([])),
  ])

  static let replication: S3Schema = .of([
    .must("Role", .text),
    .some(
      "Rule",
      .of([
        .may("ID", .text),
        .may("Priority", .integer),
        .may("Prefix", .text),
        .may(
          "Filter",
          .of([
            .may("Prefix", .text),
            .may("Tag", S3Schema.tag),
            .may(
              "And",
              .of([
                .may("Prefix", .text),
                .many("Tag", S3Schema.tag),
              ])),
          ])),
        .must("Status", S3Schema.onOff),
        .may(
          "SourceSelectionCriteria",
          .of([
            .may(
              "SseKmsEncryptedObjects",
              .of([
                .must("Status", S3Schema.onOff)
              ])),
            .may(
              "ReplicaModifications",
              .of([
                .must("Status", S3Schema.onOff)
              ])),
          ])),
        .may(
          "ExistingObjectReplication",
          .of([
            .must("Status", S3Schema.onOff)
          ])),
        .must(
          "Destination",
          .of([
            .must("Bucket", .text),
            .may("Account", .text),
            .may(
              "StorageClass",
              .choice([
                "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
                "DEEP_ARCHIVE", "OUTPOSTS", "GLACIER_IR", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS", "FSX_ONTAP",
                "AWS_BACKUP_WARM", "AWS_BACKUP_LOW_COST_WARM",
              ])),
            .may(
              "AccessControlTranslation",
              .of([
                .must("Owner", .choice(["Destination"]))
              ])),
            .may(
              "EncryptionConfiguration",
              .of([
                .may("ReplicaKmsKeyID", .text)
              ])),
            .may(
              "ReplicationTime",
              .of([
                .must("Status", S3Schema.onOff),
                .must(
                  "Time",
                  .of([
                    .may("Minutes", .integer)
                  ])),
              ])),
            .may(
              "Metrics",
              .of([
                .must("Status", S3Schema.onOff),
                .may(
                  "EventThreshold",
                  .of([
                    .may("Minutes", .integer)
                  ])),
              ])),
          ])),
        .may(
          "DeleteMarkerReplication",
          .of([
            .may("Status", S3Schema.onOff)
          ])),
      ])),
  ])
}
