using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Transfer;

/// <summary>Transfer rows of columns of every kind, and the steps that can or cannot be applied to them.</summary>
public sealed class TransferStepTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Byte_images_stay_bytes()
    {
        var view = _context.Keyed(Picture.Some());
        var options = Rows.Quick(Teacher.FromEstimator(_context.Transforms.Conversion.ConvertType("Numbers", "Features").Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class", "Numbers")))) with
        {
            Student = NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 4, 4, 8, 8),
            TransferRows = TransferRows.Interpolate(2),
            ValidationFraction = 0.25,
            CompareAlone = true,
        };
        var made = Trainer(options).MakeTransferRows(view).GetColumn<byte[]>("Features").ToArray();
        var model = _context.Fit(options, view);
        Assert.Multiple(() =>
        {
            Assert.That(made, Has.Length.EqualTo(96).And.All.Length.EqualTo(64));
            Assert.That(model.Predictions(view).Zip(view.GetColumn<uint>("Class"), (a, b) => a + 1 == b ? 1.0 : 0).Average(), Is.GreaterThan(0.9));
        });
    }

    [Test]
    public void Sparse_vectors_keys_text_and_numbers_are_mixed_in_one_row()
    {
        var random = new Random(6);
        var rows = Enumerable.Range(0, 60).Select(i => new Sparse
        {
            Label = Rows.Classes[i % 3],
            Words = $"{Rows.Classes[i % 3]} {(random.Next(2) == 0 ? "leaf" : "bark")}",
            Values = new VBuffer<float>(20, 2, [1, random.NextSingle()], [i % 3, 5 + random.Next(10)]),
            Key = (uint)(1 + (i % 3)),
            Tags = new VBuffer<ReadOnlyMemory<char>>(2, ["a".AsMemory(), (i % 2 == 0 ? "b" : "c").AsMemory()]),
            Flags = new VBuffer<bool>(3, 1, [true], [i % 3]),
        }).ToArray();
        var loaded = _context.Data.LoadFromEnumerable(rows);
        var steps = _context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
            .Append(_context.Transforms.Text.FeaturizeText("Text", "Words")).Append(_context.Transforms.Conversion.MapKeyToVector("KeyBits", "Key"))
            .Append(_context.Transforms.Text.FeaturizeText("TagText", "Tags"))
            .Append(_context.Transforms.Conversion.ConvertType("FlagNumbers", "Flags"))
            .Append(_context.Transforms.Concatenate("Features", "Text", "Values", "KeyBits", "TagText", "FlagNumbers"));
        var view = steps.Fit(loaded).Transform(loaded);
        var options = Rows.Quick(Teacher.FromTransformer(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class").Fit(view))) with { TransferRows = TransferRows.Munge(3) };
        var made = _context.Data.CreateEnumerable<Sparse>(Trainer(options).MakeTransferRows(view), false).ToArray();
        var model = _context.Fit(options, view);
        Assert.Multiple(() =>
        {
            Assert.That(made.Select(row => row.Words).Distinct(), Is.SubsetOf(rows.Select(row => row.Words)));
            Assert.That(made.Select(row => row.Key).Distinct(), Is.SubsetOf(loaded.GetColumn<uint>("Key")));
            Assert.That(made.Select(row => string.Join('|', row.Tags.DenseValues())).Distinct(), Is.SubsetOf(new[] { "a|b", "a|c" }));
            Assert.That(made.Select(row => row.Flags.DenseValues().Count(flag => flag)), Is.All.EqualTo(1), "A vector of categories is taken whole.");
            Assert.That(model.Predictions(view).Zip(view.GetColumn<uint>("Class"), (a, b) => a + 1 == b ? 1.0 : 0).Average(), Is.GreaterThan(0.9));
        });
    }

    [Test]
    public void Two_rows_are_enough_and_one_is_not([Values("munge", "interpolate", "spunge", "swap")] string kind)
    {
        TransferRows transfer = kind switch { "munge" => TransferRows.Munge(3), "interpolate" => TransferRows.Interpolate(3), "spunge" => TransferRows.Spunge(3), _ => TransferRows.MarginalSwap(3) };
        var keys = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points()));
        IDataView View(int rows) => keys.Transform(_context.Data.LoadFromEnumerable(Rows.Points(rows)));
        var options = Rows.Quick(_context.Saying(View(2), RowsTeachers.Rule)) with { TransferRows = transfer, MinimumTeacherAccuracy = 0 };
        Assert.Multiple(() =>
        {
            Assert.That(_context.Fit(options, View(2)).Model.Notes, Has.Some.Contains("6 rows without labels"));
            Assert.That(
                () => Trainer(options with { ValidationFraction = 0.5 }).MakeTransferRows(View(2)),
                Throws.InvalidOperationException.With.Message.EqualTo("TransferRows: rows are made up from at least 2 training rows, and there is 1. Leave TransferRows out."));
        });
    }

    [TestCase(1e-9, 1)]
    [TestCase(1e300, 500)]
    [TestCase(double.MaxValue, 500)]
    public void However_many_copies_there_are_at_least_one_row_and_at_most_the_maximum(double copies, int expected) => Assert.That(
        Trainer(Options(TransferRows.MarginalSwap(copies) with { MaximumRows = 500 })).MakeTransferRows(_context.Keyed(Rows.Points(30))).GetRowCount(), Is.EqualTo(expected));

    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    public void Copies_that_are_no_number_are_refused(double copies) => Assert.That(
        () => Trainer(Options(TransferRows.MarginalSwap(copies))), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("The copies of TransferRows"));

    [Test]
    public void A_single_column_of_text_is_nothing_to_mix()
    {
        var loaded = _context.Data.LoadFromEnumerable(Rows.Points(30).Select(p => new Text { Label = p.Label, Words = $"{p.Label} tree" }).ToArray());
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(_context.Transforms.Text.FeaturizeText("Features", "Words")).Fit(loaded).Transform(loaded);
        Assert.That(
            () => _context.Fit(Options(TransferRows.Munge()), view),
            Throws.InvalidOperationException.With.Message.EqualTo(
                "TransferRows: there is nothing to mix: the student and the teacher read only the column 'Words' (String), and rows are made up from numbers, or from at least two " +
                "categories. Give rows of your own by TransferRows.From, or leave TransferRows out."));
    }

    [Test]
    public void Keys_with_other_values_are_refused()
    {
        IDataView Keyed(params string[] names)
        {
            var rows = _context.Data.LoadFromEnumerable(Rows.Points(30).Select((p, i) => new Text { Label = p.Label, Words = names[i % names.Length] }).ToArray());
            return Saved(_context.Transforms.Conversion.MapValueToKey("Kind", "Words").Fit(rows).Transform(rows));
        }

        var (own, other) = (Keyed("oak", "elm"), Keyed("elm", "oak"));
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(_context.Transforms.Conversion.MapKeyToVector("Features", "Kind")).Fit(own).Transform(own);
        Assert.That(
            () => _context.Fit(Options(TransferRows.From(other)), view),
            Throws.InvalidOperationException.With.Message.Contains("in the training data, with other key values. Load both in the same way."));
    }

    [Test]
    public void A_row_with_a_shorter_vector_is_named()
    {
        var rows = Rows.Points(30).Select((p, i) => new RawRow { Label = p.Label, Features = p.Features, Extra = i == 7 ? [1] : [1, i] }).ToArray();
        var view = _context.Keyed(rows);
        Assert.That(
            () => _context.Fit(Options(TransferRows.Munge()) with { Teacher = Teacher.FromEstimator(_context.Regression()) }, view),
            Throws.InvalidOperationException.With.Message.Contains("row 7 (counted from 0) of those that rows are made up from").And.Message.Contains("Extra"));
    }

    [Test]
    public void Rows_of_your_own_must_be_the_same_each_time_that_they_are_read()
    {
        var random = new Random(1);
        IEnumerable<Point> Changing()
        {
            for (var i = 0; i < 50; i++)
                yield return new Point { Features = [random.NextSingle(), random.NextSingle(), random.NextSingle(), random.NextSingle()] };
        }

        var view = _context.Keyed(Rows.Points(30));
        Assert.That(
            () => _context.Fit(Options(TransferRows.From(_context.Data.LoadFromEnumerable(Changing()))) with { Teacher = _context.Saying(view, RowsTeachers.Rule), MinimumTeacherAccuracy = 0 }, view),
            Throws.InvalidOperationException.With.Message.Contains("Features"));
    }

    [Test]
    public void Shuffled_rows_of_your_own_are_answered_row_by_row()
    {
        var view = _context.Keyed(Rows.Points(30));
        var many = _context.Data.LoadFromEnumerable(Rows.Points(300, seed: 8));
        var options = Options(TransferRows.From(_context.Data.ShuffleRows(many, seed: 4))) with { Teacher = _context.Saying(view, RowsTeachers.Rule), MinimumTeacherAccuracy = 0, Method = DistillationMethod.Kd(alpha: 1), Epochs = 30 };
        var test = Rows.Points(200, seed: 9);
        Assert.That(Rows.Agreement(_context.Fit(options, view).Predictions(_context.Keyed(test)), [.. test.Select(RowsTeachers.RuleClass)]), Is.GreaterThan(0.6));
    }

    [Test]
    public void No_rows_of_your_own_are_refused() => Assert.That(
        () => _context.Fit(Options(TransferRows.From(_context.Data.FilterRowsByColumn(_context.Data.LoadFromEnumerable(Rows.Points(30)), "Weight", lowerBound: 50))), _context.Keyed(Rows.Points(30))),
        Throws.InvalidOperationException.With.Message.Contains("transfer rows"));

    [Test]
    public void A_step_with_a_state_cannot_be_applied_again()
    {
        var loaded = _context.Data.LoadFromEnumerable(Rows.Points(30));
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(_context.Transforms.StatefulCustomMapping<Point, Counted, State>((row, counted, state) => counted.Number = ++state.Rows, _ => { }, null))
            .Append(_context.Transforms.Concatenate("All", "Features", "Number")).Fit(loaded).Transform(loaded);
        Assert.That(
            () => _context.Fit(Options(TransferRows.Munge()) with { FeatureColumnName = "All" }, view),
            Throws.InvalidOperationException.With.Message.StartsWith("TransferRows: a step before the trainer (").And.Message.Contains("Save and load the data after this step, or leave TransferRows out."));
    }

    [Test]
    public void Unusable_rows_that_are_left_out_are_no_parents_even_behind_a_cache([Values] bool cached)
    {
        var rows = Rows.Points(60);
        foreach (var (i, row) in rows.Index())
            row.Features[3] = i % 5 == 0 ? float.NaN : 7;
        var view = _context.Keyed(rows);
        var options = Options(TransferRows.MarginalSwap(4, 1)) with { MissingFeatures = MissingFeatures.Drop };
        var made = Trainer(options).MakeTransferRows(cached ? _context.Data.Cache(view) : view).GetColumn<float[]>("Features").ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(made, Has.Length.EqualTo(4 * 48));
            Assert.That(made.Select(row => row[3]), Is.All.EqualTo(7));
            Assert.That(() => _context.Fit(options, cached ? _context.Data.Cache(view) : view), Throws.Nothing);
        });
    }

    [Test]
    public void A_search_for_neighbours_can_be_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        var view = _context.Keyed(Rows.Points(3000));
        Assert.That(
            () => Reading.MixRules.Prepare(
                (MungeRows)TransferRows.Munge(), Reading.ParentRows.Read(view, view.Schema.Where(c => c.Name == "Features"), [], CancellationToken.None), [.. Enumerable.Range(0, 3000)], 1, cancel.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    private DistillationOptions Options(TransferRows transfer) => Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 2)) with { TransferRows = transfer, MinimumTeacherAccuracy = 0 };

    private DistillationTrainer Trainer(DistillationOptions options) => _context.MulticlassClassification.Trainers.Distill(options);

    /// <summary>The view as it is after it was saved and loaded: no step leads to it.</summary>
    private IDataView Saved(IDataView view)
    {
        using var file = new ToyFolder();
        var path = Path.Combine(file.Path, "rows.idv");
        using (var stream = File.Create(path))
            _context.Data.SaveAsBinary(view, stream);
        return _context.Data.LoadFromBinary(new MultiFileSource(path));
    }

    private sealed class Sparse
    {
        public string Label { get; set; } = "";

        public string Words { get; set; } = "";

        [VectorType(20)]
        public VBuffer<float> Values { get; set; }

        [KeyType(3)]
        public uint Key { get; set; }

        [VectorType(2)]
        public VBuffer<ReadOnlyMemory<char>> Tags { get; set; }

        [VectorType(3)]
        public VBuffer<bool> Flags { get; set; }
    }

    private sealed class Text
    {
        public string Label { get; set; } = "";

        public string Words { get; set; } = "";
    }

    private sealed class Counted
    {
        public float Number { get; set; }
    }

    private sealed class State
    {
        public int Rows { get; set; }
    }
}
