using System.Text.Json;
using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// The records of newer.json named simkd, by DefangChen/SimKD, and simkd_vector: the loss, every gradient of the projection, and the logits by the teacher's layer. The other
/// records of that file are of losses on logits, which have a test of their own.
/// </summary>
public sealed class GoldenSimKdTests
{
    private const string File = "newer.json";
    private static readonly string[] Names = ["simkd", "simkd_vector"];

    /// <summary>The parts of a projection of maps in the records and in a projected network.</summary>
    private static readonly Dictionary<string, string> Parameters = new()
    {
        ["transfer.0.weight"] = "_blocks.0._weight",
        ["transfer.1.weight"] = "_blocks.1._weight",
        ["transfer.1.bias"] = "_blocks.1._bias",
        ["transfer.3.weight"] = "_blocks.3._weight",
        ["transfer.4.weight"] = "_blocks.4._weight",
        ["transfer.4.bias"] = "_blocks.4._bias",
        ["transfer.6.weight"] = "_blocks.6._weight",
        ["transfer.7.weight"] = "_blocks.7._weight",
        ["transfer.7.bias"] = "_blocks.7._bias",
    };

    public static IEnumerable<TestCaseData> Maps() => GoldenRecord.Cases(File, r => r.Name == Names[0]);

    public static IEnumerable<TestCaseData> Vectors() => GoldenRecord.Cases(File, r => r.Name == Names[1]);

    [TestCaseSource(nameof(Maps))]
    public void The_projection_of_a_map_equals_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var teacher = record.Own("teacher");
        var student = record.Own("student").requires_grad_(true);
        // The reference pools a larger map of the student before its projection; in a projected network it is pooled after it.
        var map = student.shape[2] > teacher.shape[2] ? nn.functional.adaptive_avg_pool2d(student, [teacher.shape[2], teacher.shape[3]]) : student;
        using var network = Build(InputShape.Image((int)map.shape[1], (int)map.shape[2], (int)map.shape[3]), (int)teacher.shape[1], record);
        var inputs = record.Inputs.GetProperty("parameters");
        SetParameters(network, Parameters.ToDictionary(p => $"_body.0.{p.Value}", p => Golden.Tensor(inputs.GetProperty(p.Key), record.Type)));
        network.train();

        // Block by block, because the input block reads single precision.
        var projected = network.modules().OfType<Sequential>().Single().call(map);
        var loss = SimKdLoss.Compute(projected, teacher);
        loss.backward();

        record.CompareLoss(loss.to(ScalarType.Float64).item<double>());
        record.CompareGradient(Near.Values(student.grad!));
        foreach (var (name, own) in Parameters)
            record.CompareGradient(Near.Values(network.named_parameters().Single(p => p.name == $"_body.0.{own}").parameter.grad!), name);
        CompareLogits(record, network.Head.call(new GlobalAveragePool().call(projected)));
    }

    [TestCaseSource(nameof(Vectors))]
    public void The_projection_of_a_vector_equals_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = (record.Own("student").requires_grad_(true), record.Own("teacher"));
        using var network = Build(InputShape.Vector((int)student.shape[1]), (int)teacher.shape[1], record);
        var projector = record.Inputs.GetProperty("projector");
        SetParameters(network, new()
        {
            ["_body.0._weight"] = Golden.Tensor(projector.GetProperty("weight"), record.Type),
            ["_body.0._bias"] = Golden.Tensor(projector.GetProperty("bias"), record.Type),
        });

        var projected = network.modules().OfType<Linear>().Single(linear => linear != network.Head).call(student);
        var loss = new SimKdLoss().Evaluate(new LossInputs(new NetworkOutput(embedding: projected), new NetworkOutput(embedding: teacher), zeros(student.shape[0], int64)));
        loss.backward();

        record.CompareLoss(loss.to(ScalarType.Float64).item<double>());
        record.CompareGradient(Near.Values(student.grad!));
        foreach (var part in new[] { "weight", "bias" })
            record.CompareGradient(Near.Values(network.named_parameters().Single(p => p.name == $"_body.0._{part}").parameter.grad!), $"projector.{part}");
        CompareLogits(record, network.Head.call(projected));
    }

    [Test]
    public void All_records_of_SimKD_are_accounted_for() => Assert.Multiple(() =>
    {
        var all = GoldenRecord.ReadAll(File).Where(r => r.Name.StartsWith("simkd", StringComparison.Ordinal)).ToArray();
        Assert.That(all.Select(r => r.Name).Distinct(), Is.EquivalentTo(Names));
        Assert.That(Maps().Count() + Vectors().Count(), Is.EqualTo(all.Length));
        Assert.That(all, Has.Length.EqualTo(4 + 2));
    });

    // A network that is nothing but the projection and the teacher's layer.
    private static Network Build(InputShape shape, int length, GoldenRecord record)
    {
        var head = record.Inputs.GetProperty("teacher_head");
        var classes = (int)head.GetProperty("bias").GetProperty("shape")[0].GetInt32();
        var network = NetworkSpec.Projected(new FeaturesSpec(), length).Build(new NetworkInput(shape, false), classes, 1).to(record.Type);
        SetParameters(network, new()
        {
            ["_head._weight"] = Golden.Tensor(head.GetProperty("weight"), record.Type),
            ["_head._bias"] = Golden.Tensor(head.GetProperty("bias"), record.Type),
        });
        return network;
    }

    private static void SetParameters(Network network, Dictionary<string, Tensor> values)
    {
        using var noGrad = no_grad();
        var parameters = network.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, value) in values)
            parameters[name].copy_(value);
    }

    private static void CompareLogits(GoldenRecord record, Tensor logits) => Near.Array(
        Near.Values(logits), Golden.Numbers(record.Json.GetProperty("expected").GetProperty("student_logits").GetProperty("data")), record.IsDouble ? 1e-10 : 1e-5, 0, "logits");

    private sealed record FeaturesSpec : NetworkSpec
    {
        public override string Name => "features";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator) =>
            new(shape.IsImage ? [new GlobalAveragePool()] : [], [], shape.IsImage ? shape.Channels : shape.Length);
    }
}
