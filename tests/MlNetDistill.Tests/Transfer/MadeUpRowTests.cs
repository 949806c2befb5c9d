using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Transfer;

/// <summary>What made-up rows are, seen from outside: every value against the rows that they are made from.</summary>
public sealed class MadeUpRowTests
{
    private static readonly TransferRows[] Kinds = [TransferRows.Munge(), TransferRows.Spunge(), TransferRows.MarginalSwap(), TransferRows.Interpolate()];

    private readonly MLContext _context = Rows.Context();

    [TestCaseSource(nameof(Kinds))]
    public void Categories_come_from_training_rows_whole_numbers_are_in_range_and_other_values_are_the_first_rows(TransferRows kind)
    {
        var data = TransferData.Mixed();
        var made = MakeUp(kind, data);
        Assert.That(made, Has.Length.EqualTo(5 * data.Length));
        Assert.Multiple(() =>
        {
            // Copies follow each other in the order of the rows, and a date is nothing that the rows could be mixed by.
            Assert.That(made.Select(row => row.Day), Is.EqualTo(Enumerable.Range(0, 5).SelectMany(_ => data.Select(row => row.Day))));
            Assert.That(made.Select(row => row.Colour).Distinct(), Is.SubsetOf(data.Select(row => row.Colour)));
            Assert.That(made.Select(row => row.Label), Is.All.Empty, "A made-up row has no label.");
            Assert.That(made.Select(row => row.Pair), Has.All.Length.EqualTo(2));
            Assert.That(made.Any(row => Array.TrueForAll(data, own => own.Size != row.Size)), Is.EqualTo(kind != Kinds[2]), "Only a marginal swap gives no new numbers.");
        });
    }

    [Test]
    public void An_interpolated_row_lies_between_its_two_parents_in_every_number()
    {
        var data = TransferData.Mixed(40);
        var made = MakeUp(TransferRows.Interpolate(2), data);
        foreach (var (i, row) in made.Index())
        {
            var own = data[i % data.Length];
            Assert.That(
                data.Any(other => IsBetween(row.Size, own.Size, other.Size) && IsBetween(row.Count, own.Count, other.Count) && IsBetween(row.Level, own.Level, other.Level)
                    && IsBetween(row.Pair[0], own.Pair[0], other.Pair[0]) && IsBetween(row.Pair[1], own.Pair[1], other.Pair[1])
                    && (row.Colour == own.Colour || row.Colour == other.Colour)),
                $"row {i}");
        }

        static bool IsBetween(double x, double a, double b) => x >= Math.Min(a, b) && x <= Math.Max(a, b);
    }

    [Test]
    public void A_swapped_value_is_that_of_some_training_row_and_the_share_of_changed_cells_is_the_probability()
    {
        var data = TransferData.Mixed(90);
        var made = MakeUp(TransferRows.MarginalSwap(10, 0.3), data);
        var changed = made.Index().Average(row => row.Item.Pair[1] == data[row.Index % data.Length].Pair[1] ? 0.0 : 1);
        Assert.Multiple(() =>
        {
            Assert.That(made.Select(row => row.Pair[1]).Distinct(), Is.SubsetOf(data.Select(row => row.Pair[1])));
            // 900 draws: three deviations are 0.046.
            Assert.That(changed, Is.EqualTo(0.3).Within(0.05));
        });
    }

    [Test]
    public void Spunge_replaces_a_tenth_of_ten_attributes_and_adds_noise_to_a_tenth_of_the_numbers()
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 200).Select(i => new TenNumbers { Label = Rows.Classes[i % 3], Features = [.. Enumerable.Range(0, 10).Select(_ => (float)(100 * random.NextDouble()))] }).ToArray();
        var made = _context.MakeUp(TransferRows.Spunge(3, noise: 0.001), _context.Keyed(rows)).GetColumn<float[]>("Features").ToArray();
        var differences = made.SelectMany((row, i) => row.Zip(rows[i % 200].Features, (x, y) => Math.Abs(x - y))).ToArray();
        Assert.Multiple(() =>
        {
            // Noise of a thousandth of the deviation changes values little, a replaced value much: 1 of 10 attributes in each of 600 rows.
            Assert.That(differences.Count(d => d > 0.3) / 600.0, Is.EqualTo(1).Within(0.02));
            Assert.That(differences.Count(d => d is > 0 and <= 0.3f) / 6000.0, Is.EqualTo(0.09).Within(0.015));
        });
    }

    [Test]
    public void Copies_of_a_row_are_the_same_however_many_are_made_and_a_part_of_a_copy_is_for_a_part_of_the_rows()
    {
        var data = TransferData.Mixed();
        var (three, half) = (MakeUp(TransferRows.Munge(3), data), MakeUp(TransferRows.Munge(2.5), data));
        var few = MakeUp(TransferRows.Munge(3) with { MaximumRows = 90 }, data);
        Assert.Multiple(() =>
        {
            Assert.That(half, Has.Length.EqualTo(150));
            Assert.That(half.Take(120).Select(Text), Is.EqualTo(three.Take(120).Select(Text)));
            Assert.That(half.Skip(120).Select(Text), Is.SubsetOf(three.Skip(120).Select(Text)));
            Assert.That(few.Select(Text), Is.EqualTo(half.Take(60).Select(Text).Concat(few.Skip(60).Select(Text))));
            Assert.That(few.Skip(60).Select(Text), Is.SubsetOf(three.Skip(60).Take(60).Select(Text)));
            Assert.That(MakeUp(TransferRows.Munge(3), data).Select(Text), Is.EqualTo(three.Select(Text)), "The seed repeats.");
            Assert.That(MakeUp(TransferRows.Munge(3), data, o => o with { Seed = 12 }).Select(Text), Is.Not.EqualTo(three.Select(Text)));
        });
    }

    [Test]
    public void A_column_read_alone_has_the_values_that_it_has_beside_others()
    {
        var view = Made(TransferRows.Spunge(2, share: 0.5), TransferData.Mixed());
        Assert.That(view.GetColumn<int>("Count"), Is.EqualTo(_context.Data.CreateEnumerable<MixedRow>(view, false).Select(row => row.Count)));
    }

    [Test]
    public void Rows_are_made_from_training_rows_only()
    {
        var data = TransferData.Mixed();
        foreach (var row in data.Where((_, i) => i % 4 == 0))
            (row.Flag, row.Colour) = (true, "purple");
        foreach (var row in data.Where((_, i) => i % 4 != 0))
            row.Flag = false;
        var made = MakeUp(TransferRows.Munge(), data, options => options with { ValidationColumnName = "Flag" });
        Assert.Multiple(() =>
        {
            Assert.That(made, Has.Length.EqualTo(5 * 45));
            Assert.That(made.Select(row => row.Colour), Has.None.EqualTo("purple"));
        });
    }

    [Test]
    public void Missing_numbers_are_taken_from_a_parent_and_count_as_a_difference()
    {
        var data = TransferData.Mixed();
        foreach (var row in data.Where((_, i) => i % 5 == 0))
            row.Size = float.NaN;
        var sizes = MakeUp(TransferRows.Munge(), data, withFeatures: "CountNumber").Select(row => row.Size).ToArray();
        Assert.That(sizes.Count(float.IsNaN) / (double)sizes.Length, Is.EqualTo(0.2).Within(0.1));
        Assert.That(sizes, Has.None.Matches<float>(float.IsInfinity));
    }

    [Test]
    public void Fixed_columns_stay_and_numbers_that_are_categories_are_those_of_training_rows()
    {
        var data = TransferData.Mixed();
        var made = MakeUp(TransferRows.Interpolate() with { FixedColumns = ["Size"], CategoricalColumns = ["Count", "Pair"] }, data);
        Assert.Multiple(() =>
        {
            Assert.That(made.Select(row => row.Size), Is.EqualTo(Enumerable.Range(0, 5).SelectMany(_ => data.Select(row => row.Size))));
            Assert.That(made.SelectMany(row => row.Pair).Distinct(), Is.SubsetOf(data.SelectMany(row => row.Pair)));
        });
    }

    private IDataView Made(TransferRows kind, MixedRow[] data, Func<DistillationOptions, DistillationOptions>? change = null, string? withFeatures = null)
    {
        var view = _context.View(data);
        var steps = withFeatures is null ? _context.Steps() : _context.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(_context.Transforms.ReplaceMissingValues("Known", "Size")).Append(_context.Transforms.Concatenate("Features", "Known"));
        return _context.MakeUp(kind, steps.Fit(view).Transform(view), change);
    }

    private MixedRow[] MakeUp(TransferRows kind, MixedRow[] data, Func<DistillationOptions, DistillationOptions>? change = null, string? withFeatures = null) =>
        [.. _context.Data.CreateEnumerable<MixedRow>(Made(kind, data, change, withFeatures), false)];

    private static string Text(MixedRow row) => FormattableString.Invariant($"{row.Size:R} {row.Colour} {row.Count} {row.Level} {row.Flag} {row.Pair[0]:R} {row.Pair[1]:R} {row.Day:O}");

    private sealed class TenNumbers
    {
        public string Label { get; set; } = "";

        [VectorType(10)]
        public float[] Features { get; set; } = [];
    }
}
