using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class WeightTests
{
    private static readonly DistillationOptions Weighted = Rows.Quick() with { ExampleWeightColumnName = "Weight" };

    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Weights_change_the_student()
    {
        var view = _context.Keyed(Rows.Points().Select((p, i) => { p.Weight = 1 + (i % 5); return p; }));
        Assert.That(_context.Fit(Weighted, view).Scores(view), Is.Not.EqualTo(_context.Fit(Rows.Quick(), view).Scores(view)));
    }

    [Test]
    public void Equal_weights_change_nothing_but_rounding()
    {
        var view = _context.Keyed(Rows.Points().Select(p => { p.Weight = 3; return p; }));
        var weighted = _context.Fit(Weighted, view).Scores(view).SelectMany(s => s);
        Assert.That(weighted, Is.EqualTo(_context.Fit(Rows.Quick(), view).Scores(view).SelectMany(s => s)).Within(1e-3));
    }

    [Test]
    public void What_rows_of_weight_zero_hold_makes_no_difference()
    {
        DistillationTransformer FitWith(Action<Point> poison)
        {
            var rows = Rows.Points();
            foreach (var row in rows.Where((_, i) => i % 4 == 0))
            {
                row.Weight = 0;
                poison(row);
            }

            return _context.Fit(Weighted, _context.Keyed(rows));
        }

        var clean = _context.Keyed(Rows.Points());
        var poisoned = FitWith(row => (row.Label, row.Features) = ("ash", [.. row.Features.Select(x => 9 - x)]));
        Assert.That(poisoned.Scores(clean), Is.EqualTo(FitWith(_ => { }).Scores(clean)));
    }

    [Test]
    public void Validation_accuracy_counts_rows_by_their_weights()
    {
        // Of the held-out rows those with a wrong label weigh nothing.
        var rows = Rows.Points();
        for (var i = 0; i < rows.Length; i += 4)
        {
            rows[i].Held = true;
            if (i % 8 == 0)
                (rows[i].Label, rows[i].Weight) = (Rows.Classes[(i + 1) % 3], 0);
        }

        var model = _context.Fit(Weighted with { ValidationColumnName = "Held" }, _context.Keyed(rows));
        Assert.That(model.Model.History.Max(p => p.Validation?.Quality), Is.GreaterThan(0.9));
    }

    [Test]
    public void Held_out_rows_that_weigh_nothing_made_the_first_epoch_the_best()
    {
        var rows = Rows.Points(30);
        foreach (var row in rows.Take(10))
            (row.Held, row.Weight) = (true, 0);
        Assert.That(
            () => _context.Fit(Weighted with { ValidationColumnName = "Held" }, _context.Keyed(rows)),
            Throws.InvalidOperationException.With.Message.EqualTo(
                "Every labelled row held out for validation has weight 0 in column 'Weight', so none counts. Hold out rows with a weight above 0."));
    }
}
