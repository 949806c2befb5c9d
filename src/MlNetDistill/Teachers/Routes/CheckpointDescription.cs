using MlNetDistill.Alignment;
using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill.Teachers;

/// <summary>Describes the network, data and run of a checkpoint; a reader compares it with its own.</summary>
internal sealed record CheckpointDescription
{
    /// <summary>The format that this version writes and reads. Files of version 0.1.0 may lack the number.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The format of the file.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>Name and version of the library that wrote it.</summary>
    public string WrittenBy { get; init; } = $"MlNetDistill {typeof(CheckpointDescription).Assembly.GetName().Version}";

    /// <summary>A random name of the training.</summary>
    public required string Run { get; init; }

    /// <summary>Epochs trained, at least 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Name of the network.</summary>
    public required string Network { get; init; }

    /// <summary>Type of its specification, which distinguishes an application's own networks.</summary>
    public required string SpecificationType { get; init; }

    /// <summary>Its specification as JSON.</summary>
    public required string Specification { get; init; }

    /// <summary>Its input, with the constants that scale it.</summary>
    public required NetworkInput Input { get; init; }

    /// <summary>Means and standard deviations of its training rows.</summary>
    public required InputStatistics Features { get; init; }

    /// <summary>Number of classes.</summary>
    public required int ClassCount { get; init; }

    /// <summary>Names of the classes in the order of the logits; null if the label's keys had no values.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Describes a network during its training.</summary>
    public static CheckpointDescription Create(string run, int epoch, NetworkSpec spec, Network network, ClassLabels classes, InputStatistics features) => new()
    {
        Run = run,
        Epoch = epoch,
        Network = spec.Name,
        SpecificationType = GetTypeName(spec),
        Specification = spec.ToJson(),
        Input = network.Input,
        Features = features,
        ClassCount = classes.Count,
        Classes = classes.Names,
    };

    /// <summary>What is impossible in a description that was read, as the end of a sentence; null if nothing is.</summary>
    public string? FindFault()
    {
        if (Epoch < 1)
            return Invariant($"its epoch is {Epoch}");
        if (Classes is not null && (Classes.Count != ClassCount || Classes.Contains(null!)))
            return Invariant($"it has the names of {Classes.Count(name => name is not null)} classes, and {ClassCount} classes");
        if (Features.Mean.Count != Features.Deviation.Count)
            return Invariant($"it has {Features.Mean.Count} means and {Features.Deviation.Count} deviations of features");
        return Input.Validate(ClassCount).FirstOrDefault() is { } fault ? char.ToLowerInvariant(fault[0]) + fault[1..].TrimEnd('.') : null;
    }

    /// <summary>How the checkpoint differs from the network and the features of a fit, as the end of a sentence; null if it does not differ.</summary>
    public string? FindDifference(NetworkSpec spec, NetworkInput input)
    {
        if ((Network, SpecificationType, Specification) != (spec.Name, GetTypeName(spec), spec.ToJson()))
            return $"is of {Network} ({Specification}), and the network given is {spec.Name} ({spec.ToJson()}). Give the specification that the route was trained with";
        return (Input.Shape, Input.IsByte) == (input.Shape, input.IsByte) ? null
            : $"reads {DescribeInput(Input)}, and the feature column has {DescribeInput(input)}. Give the features that the route was trained on";

        static string DescribeInput(NetworkInput input) => $"{input.Shape} of {(input.IsByte ? "Byte" : "Single")}";
    }

    private static string GetTypeName(NetworkSpec spec) => spec.GetType().FullName ?? spec.GetType().Name;
}
