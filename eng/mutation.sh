#!/usr/bin/env bash
# Mutation testing: changes the code of a part in many small ways, one by one, and runs the part's tests on each. A change that no test notices is listed as survived.
# Takes seconds for each of several hundred changes, so it is not part of CI.
#
#   eng/mutation.sh PART [FOLDER]     PART: losses, data, cache, state or metrics; FOLDER: for the report (artifacts/mutation/PART)
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

part=${1:-} omitted=() without=
torch=MlNetDistill.Torch
case $part in
    losses) project=$torch tests=Torch.Tests mutated='Losses/*.cs' classes=$(cd tests/MlNetDistill.Torch.Tests/Losses && ls -- *LossTests.cs Golden*Tests.cs TeacherTargetsTests.cs DenseLogitsTests.cs GradientRescalingTests.cs) ;;
    data) project=$torch tests=Torch.Tests mutated='Data/**/*.cs' classes=$(cd tests/MlNetDistill.Torch.Tests/Data && ls -- *Tests.cs) ;;
    # KillTests runs code that was not changed in processes of its own, and DamageTests takes too long for each change. The runner's process serves all changes, and static fields keep what they
    # became under the first: those of CacheHeader are left out.
    cache) project=$torch tests=Torch.Tests mutated='Cache/Format/*.cs' classes=$(cd tests/MlNetDistill.Torch.Tests/Cache && ls -- [!KD]*Tests.cs)
        place() { grep --byte-offset "$1" src/MlNetDistill.Torch/Cache/Format/CacheHeader.cs | cut -d: -f1; }
        omitted=(--mutate "!**/CacheHeader.cs{$(place 'static readonly JsonSerializerOptions')..$(place 'The key as text')}") ;;
    state) project=$torch tests=Torch.Tests mutated='Training/State/*.cs'
        classes="TrainingStateTests TensorFileTests ForgedStateTests ResumedRunTests ProjectionTests LiveTensorTests NonFiniteHandlingTests DivergenceTests BilevelRecoveryTests StoppingTests" ;;
    # Without the tests that take longest: each has 30 seconds while it is recorded what it covers.
    metrics) project=MlNetDistill tests=Tests mutated='Evaluation/Metrics/*.cs' without='Intervals_are_those_of_a_bootstrap Quantiles_and_correlations_of_many_rows'
        classes="$(cd tests/MlNetDistill.Tests/Evaluation && ls -- Metrics{[!M],Me}*Tests.cs) AcceptanceTests CollapsedStudentTests KnowledgeDiagnosisTests PairedAnswersTests PayoffTests" ;;
    *) echo "Usage: eng/mutation.sh losses|data|cache|state|metrics [FOLDER]; found '$part'." >&2; exit 1 ;;
esac
folder=$(realpath -m "${2:-artifacts/mutation/$part}")
filter="($(for class in $classes; do echo "FullyQualifiedName~.${class%.cs}."; done | paste -sd'|'))$(for test in $without; do echo -n "&FullyQualifiedName!~$test"; done)"

# Its own test runner stops at some names of tests; NUnit's on Microsoft.Testing.Platform does not.
export EnableNUnitRunner=true MLNETDISTILL_STOP_AFTER_FAILURE=1
dotnet tool restore
cd "tests/MlNetDistill.$tests"
dotnet stryker --project "$project.csproj" --configuration Release --mutate "**/$mutated" "${omitted[@]}" --test-runner mtp --test-case-filter "$filter" --concurrency 1 \
    --reporter json --reporter markdown --reporter progress --output "$folder" --skip-version-check
