using System.Globalization;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>A trained network: its specification and weights, and the history of its training.</summary>
public sealed class DistilledStudent
{
    private readonly byte[] _weights;

    internal DistilledStudent(
        Network network,
        NetworkSpec spec,
        IReadOnlyList<string>? classNames,
        string method,
        int seed,
        IReadOnlyList<TrainingProgress> history,
        IReadOnlyList<string> notes,
        IReadOnlyList<string> warnings,
        IReadOnlyList<ReportedSetting> settings)
    {
        Spec = spec;
        Input = network.Input;
        Classes = network.LogitCount;
        ClassNames = classNames;
        ParameterCount = network.ParameterCount;
        Method = method;
        Seed = seed;
        History = history;
        Notes = notes;
        Warnings = warnings;
        Settings = settings;
        _weights = WeightsOf(network);
    }

    /// <summary>The network's specification.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>The network's input.</summary>
    public NetworkInput Input { get; }

    /// <summary>Number of classes K.</summary>
    public int Classes { get; }

    /// <summary>Names of the classes, in the order of the network's outputs; null if the label's key column has no values.</summary>
    internal IReadOnlyList<string>? ClassNames { get; }

    /// <summary>Number of trained parameters.</summary>
    public long ParameterCount { get; }

    /// <summary>Name of the method that trained it.</summary>
    public string Method { get; }

    /// <summary>The seed of the run; the same seed, data and options give the same student.</summary>
    public int Seed { get; }

    /// <summary>The state of training after each epoch.</summary>
    public IReadOnlyList<TrainingProgress> History { get; }

    /// <summary>What the method decided during training, as sentences: the anchors of a route and why, the epochs of each stage.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>
    /// The warnings of the fit, each with the value and what to do; empty if there were none. They are in <c>MLContext.Log</c> too. For a teacher that was trained in
    /// the fit: the warnings of its training.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The options it was trained with, by name, as text; a teacher that was trained in the fit has the student's where it has none of its own.</summary>
    public IReadOnlyList<ReportedSetting> Settings { get; }

    /// <summary>The network, its method and seed, the last epoch, and the notes and warnings.</summary>
    public override string ToString()
    {
        List<string> lines =
        [
            string.Create(CultureInfo.InvariantCulture, $"{Spec.Name}: {ParameterCount:N0} parameters, {Classes} classes; input: {Input}"),
            $"trained by {Method}, seed {Seed}",
        ];
        if (History is [.., var last])
            lines.Add($"{NumberText.Count(History.Count, "epoch")} in {NumberText.Duration(last.Elapsed)}, the last: {last.Figures}");
        return string.Join(Environment.NewLine, lines.Concat(Notes).Concat(Warnings.Select(warning => $"warning: {warning}")).SelectMany(line => TextLines.Wrap(line, TextLines.Width)));
    }

    /// <summary>The student as a TorchSharp module with its trained weights, on the CPU and in eval mode. The caller disposes it.</summary>
    public Network ToNetwork()
    {
        var network = Spec.Build(Input, Classes, Seed);
        using var weights = new MemoryStream(_weights);
        network.load(weights);
        network.eval();
        network.ClassNames = ClassNames;
        return network;
    }

    /// <summary>A hash of the weights.</summary>
    internal string WeightsHash => Fingerprint.Compute(_weights);

    internal static byte[] WeightsOf(Network network)
    {
        using var buffer = new MemoryStream();
        network.save(buffer); // closes the stream; its bytes remain readable
        return buffer.ToArray();
    }
}
