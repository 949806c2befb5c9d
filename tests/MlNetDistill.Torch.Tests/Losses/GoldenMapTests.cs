using System.Text.Json;
using MlNetDistill.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// Every record of maps.json about a loss that exists here. sp (8), nst (5) and hcl (3) are other methods and are left out; at_variant_kdzoo (7)
/// adds 1e-6 to the norm, hint_half_sq_per_sample (1) is the form of the FitNets paper: look-alikes that ours differ from as they should.
/// </summary>
public sealed class GoldenMapTests
{
    private const string File = "maps.json";
    private const string Maps = "inputs_maps.json";
    private static readonly string[] OtherMethods = ["sp", "nst", "hcl", "hcl_8x8"];
    private static readonly string[] LookAlikes = ["at_variant_kdzoo", "hint_half_sq_per_sample"];
    private static readonly string[] Adapters = ["adapter_conv1x1_bn_mse", "fitnet_convreg_mse"];

    public static IEnumerable<TestCaseData> Covered() =>
        GoldenRecord.Cases(File, r => !OtherMethods.Contains(r.Name) && !LookAlikes.Contains(r.Name) && !Adapters.Contains(r.Name));

    public static IEnumerable<TestCaseData> Adapted() => GoldenRecord.Cases(File, r => Adapters.Contains(r.Name));

    public static IEnumerable<TestCaseData> Contrasting() => GoldenRecord.Cases(File, r => LookAlikes.Contains(r.Name));

    [TestCaseSource(nameof(Covered))]
    public void A_loss_and_its_gradients_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = Pair(record);
        var (value, gradients) = LossProbe.OnStages(LossOf(record, student.Length), student, teacher);
        record.CompareLoss(value);
        for (var i = 0; i < gradients.Length; i++)
            record.CompareGradient(gradients[i], $"student[{i}]");
    }

    [TestCaseSource(nameof(Adapted))]
    public void A_loss_through_an_adapter_equals_the_reference_with_every_gradient(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var inputs = record.Inputs.GetProperty("student/teacher");
        var maps = Golden.Case(Maps, inputs.GetProperty("case").GetString()!);
        var stage = inputs.GetProperty("stage").GetInt32();
        var student = Golden.Tensor(maps.GetProperty("student")[stage], record.Type);
        var teacher = Golden.Tensor(maps.GetProperty("teacher")[stage], record.Type);
        using var generator = new Generator(1);
        DistillationLoss loss = record.Name == "fitnet_convreg_mse" ? new HintLoss((0, 0)) : new StageFeatureLoss(0, 0);
        var adapter = loss.CreateProjections(Shapes.FromFeatures(student), Shapes.FromFeatures(teacher), generator).Single().to(record.Type);
        var parameters = Set(adapter, record);

        var (value, gradients) = LossProbe.OnStages(loss, [student], [teacher], projections: [adapter]);
        record.CompareLoss(value);
        record.CompareGradient(gradients[0]);
        foreach (var (name, parameter) in parameters)
        {
            // Batch normalisation takes the bias before it out again, so its true gradient is 0.
            if (name == "b")
                Assert.That(Near.Values(parameter.grad!), Is.All.EqualTo(0).Within(record.IsDouble ? 1e-15 : 1e-7));
            else
                record.CompareGradient(Near.Values(parameter.grad!), name);
        }
    }

    [TestCaseSource(nameof(Contrasting))]
    public void Ours_are_none_of_their_look_alikes(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = Pair(record);
        var value = LossProbe.OnStages(LossOf(record, student.Length), student, teacher).Value;
        if (record.Name == "hint_half_sq_per_sample")
            Near.Value(value * student[0].numel() / student[0].shape[0] / 2, record.Loss, 1e-5, 0, "half the sum for each row");
        else
            Near.Value(value, record.Loss, 1e-5, 0, "1e-6 added to the norm");
        if (record.IsDouble)
            Assert.That(Math.Abs(value - record.Loss), Is.GreaterThan(1e-10));
    }

    [Test]
    public void All_records_are_accounted_for() => Assert.Multiple(() =>
    {
        var names = GoldenRecord.ReadAll(File).Select(r => r.Name).ToArray();
        Assert.That(names.Count(n => n == "at"), Is.EqualTo(7));
        Assert.That(names.Count(n => n == "hint_mse"), Is.EqualTo(2));
        Assert.That(names.Count(n => n == "sskd_stage_l2_sum"), Is.EqualTo(2));
        Assert.That(Covered().Count(), Is.EqualTo(7 + 2 + 2));
        Assert.That(Adapted().Count(), Is.EqualTo(4));
        Assert.That(Contrasting().Count(), Is.EqualTo(7 + 1));
        Assert.That(names.Count(OtherMethods.Contains), Is.EqualTo(8 + 5 + 3));
        Assert.That(names, Has.Length.EqualTo(11 + 4 + 8 + 16));
    });

    private static DistillationLoss LossOf(GoldenRecord record, int stages) => record.Name switch
    {
        "at" or "at_variant_kdzoo" => new AttentionTransferLoss([.. Enumerable.Range(0, stages).Select(i => (i, i))]),
        "hint_mse" or "hint_half_sq_per_sample" => new HintLoss([.. Enumerable.Range(0, stages).Select(i => (i, i))]),
        "sskd_stage_l2_sum" => new StageFeatureLoss(0, 0, FeatureReduction.SumPerSample),
        var other => throw new FormatException($"The record '{other}' is none that is known here."),
    };

    private static (Tensor[] Student, Tensor[] Teacher) Pair(GoldenRecord record)
    {
        var inputs = Golden.Case(Maps, record.Case);
        Tensor[] Read(string name) => [.. inputs.GetProperty(name).EnumerateArray().Select(map => Golden.Tensor(map, record.Type))];
        return (Read("student"), Read("teacher"));
    }

    // The record's numbers into the adapter's parameters, which come back under the record's names.
    private static List<(string Name, Tensor Parameter)> Set(nn.Module<Tensor, Tensor> adapter, GoldenRecord record)
    {
        using var noGrad = no_grad();
        var set = new List<(string Name, Tensor Parameter)>();
        foreach (var (path, parameter) in adapter.named_parameters())
        {
            var name = path switch { "_weight" => "W", "_bias" => "b", "_normalization._weight" => "gamma", "_normalization._bias" => "beta", _ => path };
            parameter.copy_(record.Own(name));
            set.Add((name, parameter));
        }

        return set;
    }
}
