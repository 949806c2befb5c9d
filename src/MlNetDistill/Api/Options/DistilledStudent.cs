using System.Globalization;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>What a fit produced, beside the model that scores: the network's description and weights, and how training went.</summary>
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

    /// <summary>The network's description.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>What the network is fed.</summary>
    public NetworkInput Input { get; }

    /// <summary>Number of classes K.</summary>
    public int Classes { get; }

    /// <summary>What the classes are called, in the order of the network's outputs; null where the label's keys had no values.</summary>
    internal IReadOnlyList<string>? ClassNames { get; }

    /// <summary>Number of trained parameters.</summary>
    public long ParameterCount { get; }

    /// <summary>Name of the method that trained it.</summary>
    public string Method { get; }

    /// <summary>The seed of the run; with the same data and options it gives the same student again.</summary>
    public int Seed { get; }

    /// <summary>The state of training after each epoch.</summary>
    public IReadOnlyList<TrainingProgress> History { get; }

    /// <summary>What the method decided on the way, as sentences: the anchors of a route and why, the epochs of each stage.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>
    /// What the fit warned of, each as one sentence or a few that name the value and what to do; empty if nothing. They are in <c>MLContext.Log</c> too. Of a
    /// teacher trained on the spot: what was warned of while it was trained.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The options it was trained with, by name, as text; a teacher trained on the spot has the student's where it has none of its own.</summary>
    public IReadOnlyList<ReportedSetting> Settings { get; }

    /// <summary>What it is, how it was trained, where training ended, and what was warned of.</summary>
    public override string ToString()
    {
        List<string> lines =
        [
            string.Create(CultureInfo.InvariantCulture, $"{Spec.Name}: {ParameterCount:N0} parameters, {Classes} classes; input: {Input}"),
            $"trained by {Method}, seed {Seed}",
        ];
        if (History is [.., var last])
            lines.Add($"{History.Count} epochs in {NumberText.Duration(last.Elapsed)}, the last: {last.Figures}");
        return string.Join(Environment.NewLine, lines.Concat(Notes).Concat(Warnings.Select(warning => $"warning: {warning}")).SelectMany(line => TextLines.Wrap(line, TextLines.Width)));
    }

    /// <summary>The student as a TorchSharp module with its trained weights, on the CPU and in eval mode. The caller disposes it.</summary>
    public Network ToNetwork()
    {
        var network = Spec.Build(Input, Classes, Seed);
        using var weights = new MemoryStream(_weights);
        network.load(weights);
        network.eval();
        return network;
    }

    internal static byte[] WeightsOf(Network network)
    {
        using var buffer = new MemoryStream();
        network.save(buffer); // closes the stream; its bytes remain readable
        return buffer.ToArray();
    }
}
