using MlNetDistill.Alignment;
using MlNetDistill.Networks;


namespace MlNetDistill.Teachers;

/// <summary>Describes the network, data and run of a checkpoint; a reader compares it with its own.</summary>
internal sealed record CheckpointDescription
{
    /// <summary>Name and version of the library that wrote it.</summary>
    public string WrittenBy { get; init; } = $"MlNetDistill {typeof(CheckpointDescription).Assembly.GetName().Version}";

    /// <summary>Which training it is of: drawn anew for each.</summary>
    public required string Run { get; init; }

    /// <summary>Epochs trained, at least 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Name of the network.</summary>
    public required string Network { get; init; }

    /// <summary>Type of its specification, which tells networks of a user's own apart.</summary>
    public required string SpecificationType { get; init; }

    /// <summary>Its specification as JSON.</summary>
    public required string Specification { get; init; }

    /// <summary>What it is fed, with the constants that scale it.</summary>
    public required NetworkInput Input { get; init; }

    /// <summary>Means and deviations of the rows it was trained on.</summary>
    public required InputStatistics Features { get; init; }

    /// <summary>Number of classes K.</summary>
    public required int ClassCount { get; init; }

    /// <summary>Names of the classes in the order of the logits; null where the label's keys had no values.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>A checkpoint of a network that is being trained.</summary>
    public static CheckpointDescription Create(string run, int epoch, NetworkSpec spec, Network network, ClassLabels classes, InputStatistics features) => new()
    {
        Run = run,
        Epoch = epoch,
        Network = spec.Name,
        SpecificationType = TypeOf(spec),
        Specification = spec.ToJson(),
        Input = network.Input,
        Features = features,
        ClassCount = classes.Count,
        Classes = classes.Names,
    };

    /// <summary>In what a checkpoint differs from the network and the features that it is to be used with, as the end of a sentence; null if in nothing.</summary>
    public string? Difference(NetworkSpec spec, NetworkInput input)
    {
        if ((Network, SpecificationType, Specification) != (spec.Name, TypeOf(spec), spec.ToJson()))
            return $"is of {Network} ({Specification}), and the network given is {spec.Name} ({spec.ToJson()}). Give the specification that the route was trained with";
        return (Input.Shape, Input.IsByte) == (input.Shape, input.IsByte) ? null
            : $"reads {DescribeInput(Input)}, and the feature column has {DescribeInput(input)}. Give the features that the route was trained on";

        static string DescribeInput(NetworkInput input) => $"{input.Shape} of {(input.IsByte ? "Byte" : "Single")}";
    }

    private static string TypeOf(NetworkSpec spec) => spec.GetType().FullName ?? spec.GetType().Name;
}
