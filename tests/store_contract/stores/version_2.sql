BEGIN TRANSACTION;
CREATE TABLE ablation_schema (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "ablation_schema" VALUES(2);
CREATE TABLE ablation_specs (
	study_id INTEGER NOT NULL, 
	digest VARCHAR(16) NOT NULL, 
	created DATETIME NOT NULL, 
	spec TEXT NOT NULL, 
	PRIMARY KEY (study_id, digest), 
	FOREIGN KEY(study_id) REFERENCES ablation_studies (id)
);
INSERT INTO "ablation_specs" VALUES(1,'b3788c276e56475e','2026-11-29 00:55:31.930249','{"name":"old","profile":"default","study":"old-default-8df428","data":{"name":"digits","root":null,"limit":100,"validation":0.1,"mirror_keeps_labels":null,"size":null,"parameters":{}},"model":{"name":"vgg","depth":11,"width":0.03125,"dropout":0.0,"parameters":{}},"train":{"epochs":2,"batch_size":50,"target":0.5,"label_smoothing":0.0,"seed":0,"precision":"fp32","memory_format":"channels_last","threads":1,"deterministic":true,"time_limit":600.0,"checkpoint_epochs":null,"checkpoint_minutes":10.0},"factors":{"init":[{"factor":"init","label":"he","name":"he","parameters":{}},{"factor":"init","label":"xavier","name":"xavier","parameters":{}}],"optimizer":[{"factor":"optimizer","label":"adam","name":"adam","parameters":{"lr":0.001,"weight_decay":0.0,"beta1":0.9,"beta2":0.999}},{"factor":"optimizer","label":"sgd","name":"sgd","parameters":{"lr":0.1,"weight_decay":0.0005}}]},"fixed":[{"factor":"augmentation","label":"none","name":"none","parameters":{}},{"factor":"scheduler","label":"constant","name":"constant","parameters":{}},{"factor":"bn_placement","label":"before","name":"before","parameters":{"momentum":0.1,"eps":1e-05}}],"replicates":1,"design":{"kind":"full"},"exclude":[],"only":[],"claims":[],"plugins":[],"code":[],"run":{"devices":null,"slots_per_device":null},"backend":{"kind":"local","scheduler":null},"source":"/somewhere/old.yaml"}');
CREATE TABLE ablation_studies (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	profile TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	replicates INTEGER NOT NULL, 
	factors TEXT NOT NULL, 
	levels TEXT NOT NULL, 
	claims TEXT NOT NULL, 
	spec TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "ablation_studies" VALUES(1,'old-default-8df428','default','2026-11-29 00:55:31.927844',1,'[["init",["he","xavier"]],["optimizer",["adam","sgd"]]]','{"init":{"he":{"name":"he","parameters":{}},"xavier":{"name":"xavier","parameters":{}}},"optimizer":{"adam":{"name":"adam","parameters":{"lr":0.001,"weight_decay":0.0,"beta1":0.9,"beta2":0.999}},"sgd":{"name":"sgd","parameters":{"lr":0.1,"weight_decay":0.0005}}}}','[]','{"name":"old","profile":"default","study":"old-default-8df428","data":{"name":"digits","root":null,"limit":100,"validation":0.1,"mirror_keeps_labels":null,"size":null,"parameters":{}},"model":{"name":"vgg","depth":11,"width":0.03125,"dropout":0.0,"parameters":{}},"train":{"epochs":2,"batch_size":50,"target":0.5,"label_smoothing":0.0,"seed":0,"precision":"fp32","memory_format":"channels_last","threads":1,"deterministic":true,"time_limit":600.0,"checkpoint_epochs":null,"checkpoint_minutes":10.0},"factors":{"init":[{"factor":"init","label":"he","name":"he","parameters":{}},{"factor":"init","label":"xavier","name":"xavier","parameters":{}}],"optimizer":[{"factor":"optimizer","label":"adam","name":"adam","parameters":{"lr":0.001,"weight_decay":0.0,"beta1":0.9,"beta2":0.999}},{"factor":"optimizer","label":"sgd","name":"sgd","parameters":{"lr":0.1,"weight_decay":0.0005}}]},"fixed":[{"factor":"augmentation","label":"none","name":"none","parameters":{}},{"factor":"scheduler","label":"constant","name":"constant","parameters":{}},{"factor":"bn_placement","label":"before","name":"before","parameters":{"momentum":0.1,"eps":1e-05}}],"replicates":1,"design":{"kind":"full"},"exclude":[],"only":[],"claims":[],"plugins":[],"code":[],"run":{"devices":null,"slots_per_device":null},"backend":{"kind":"local","scheduler":null},"source":"/somewhere/old.yaml"}');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE attempts (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	cell_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	token VARCHAR(32) NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	status VARCHAR(16), 
	reason VARCHAR(16), 
	detail TEXT, 
	worker TEXT NOT NULL, 
	slot TEXT NOT NULL, 
	device TEXT NOT NULL, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	owner TEXT NOT NULL, 
	started DATETIME NOT NULL, 
	ended DATETIME, 
	seconds FLOAT, 
	log TEXT, 
	provenance TEXT NOT NULL, 
	trial_id INTEGER, 
	mirrored BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (cell_id, number), 
	FOREIGN KEY(study_id) REFERENCES ablation_studies (id), 
	FOREIGN KEY(cell_id) REFERENCES cells (id), 
	UNIQUE (token)
);
INSERT INTO "attempts" VALUES(1,1,1,1,0,'898bc181256f9d41dcd8748ae3a626b9','complete','stalled',NULL,NULL,'host:1','cpu/0','cpu','host',13860,'boot pid:[1] 1 1','2026-11-29 00:56:23.849602','2026-11-29 00:56:24.348909',1.99280580000049667432e-01,'/somewhere/results/old-default-8df428/attempts/7f7b60f6fb3c95fc-1.log','{"commit":"78c2f21fa13c37ecfc195f63a34bee141bd816d9","dirty":false,"versions":{"python":"3.11.7","ablation-grid-runner":"0.1.0","torch":"2.14.1","torchvision":"0.29.1","numpy":"2.4.6","optuna":"5.0.0","sqlalchemy":"2.1.9","pandas":"3.1.1","scikit-learn":"1.9.1"},"host":"host","system":"Linux","processor":"a processor","spec":"b3788c276e56475e"}',1,1);
INSERT INTO "attempts" VALUES(2,1,2,1,0,'20f2568b23a683651be19d7293d3aa06','complete','stalled',NULL,NULL,'host:1','cpu/1','cpu','host',13860,'boot pid:[1] 1 1','2026-11-29 00:56:23.862127','2026-11-29 00:56:24.352317',1.81831971999599772971e-01,'/somewhere/results/old-default-8df428/attempts/857d5ecf59927e80-1.log','{"commit":"78c2f21fa13c37ecfc195f63a34bee141bd816d9","dirty":false,"versions":{"python":"3.11.7","ablation-grid-runner":"0.1.0","torch":"2.14.1","torchvision":"0.29.1","numpy":"2.4.6","optuna":"5.0.0","sqlalchemy":"2.1.9","pandas":"3.1.1","scikit-learn":"1.9.1"},"host":"host","system":"Linux","processor":"a processor","spec":"b3788c276e56475e"}',2,1);
INSERT INTO "attempts" VALUES(3,1,3,1,0,'f3bb574fb1f3dc8bb977ec26d20dc6e7','complete','learned',NULL,NULL,'host:1','cpu/0','cpu','host',13860,'boot pid:[1] 1 1','2026-11-29 00:56:24.356452','2026-11-29 00:56:24.728029',1.63855134999721485655e-01,'/somewhere/results/old-default-8df428/attempts/4554e3658c14f8c5-1.log','{"commit":"78c2f21fa13c37ecfc195f63a34bee141bd816d9","dirty":false,"versions":{"python":"3.11.7","ablation-grid-runner":"0.1.0","torch":"2.14.1","torchvision":"0.29.1","numpy":"2.4.6","optuna":"5.0.0","sqlalchemy":"2.1.9","pandas":"3.1.1","scikit-learn":"1.9.1"},"host":"host","system":"Linux","processor":"a processor","spec":"b3788c276e56475e"}',3,1);
INSERT INTO "attempts" VALUES(4,1,4,1,0,'0e5eb361538e2a62865289d912edb353','complete','stalled',NULL,NULL,'host:1','cpu/1','cpu','host',13860,'boot pid:[1] 1 1','2026-11-29 00:56:24.370375','2026-11-29 00:56:24.756659',0.171717653000087,'/somewhere/results/old-default-8df428/attempts/a0649939830a78bf-1.log','{"commit":"78c2f21fa13c37ecfc195f63a34bee141bd816d9","dirty":false,"versions":{"python":"3.11.7","ablation-grid-runner":"0.1.0","torch":"2.14.1","torchvision":"0.29.1","numpy":"2.4.6","optuna":"5.0.0","sqlalchemy":"2.1.9","pandas":"3.1.1","scikit-learn":"1.9.1"},"host":"host","system":"Linux","processor":"a processor","spec":"b3788c276e56475e"}',4,1);
CREATE TABLE cell_contents (
	study_id INTEGER NOT NULL, 
	cell VARCHAR(16) NOT NULL, 
	content TEXT NOT NULL, 
	PRIMARY KEY (study_id, cell), 
	FOREIGN KEY(study_id) REFERENCES ablation_studies (id)
);
INSERT INTO "cell_contents" VALUES(1,'7f7b60f6fb3c95fc','{"levels": [{"factor": "init", "label": "he", "name": "he", "parameters": {}}, {"factor": "optimizer", "label": "adam", "name": "adam", "parameters": {"lr": 0.001, "weight_decay": 0.0, "beta1": 0.9, "beta2": 0.999}}], "held": [{"factor": "augmentation", "label": "none", "name": "none", "parameters": {}}, {"factor": "scheduler", "label": "constant", "name": "constant", "parameters": {}}, {"factor": "bn_placement", "label": "before", "name": "before", "parameters": {"momentum": 0.1, "eps": 1e-05}}], "replicate": 0, "data": {"name": "digits", "root": null, "limit": 100, "validation": 0.1, "mirror_keeps_labels": null, "size": null, "parameters": {}}, "model": {"name": "vgg", "depth": 11, "width": 0.03125, "dropout": 0.0, "parameters": {}}, "train": {"epochs": 2, "batch_size": 50, "target": 0.5, "label_smoothing": 0.0, "seed": 0, "precision": "fp32", "memory_format": "channels_last", "threads": 1, "deterministic": true, "time_limit": 600.0, "checkpoint_epochs": null, "checkpoint_minutes": 10.0}, "plugins": [], "data_identity": "digits/1", "code": []}');
INSERT INTO "cell_contents" VALUES(1,'857d5ecf59927e80','{"levels": [{"factor": "init", "label": "he", "name": "he", "parameters": {}}, {"factor": "optimizer", "label": "sgd", "name": "sgd", "parameters": {"lr": 0.1, "weight_decay": 0.0005}}], "held": [{"factor": "augmentation", "label": "none", "name": "none", "parameters": {}}, {"factor": "scheduler", "label": "constant", "name": "constant", "parameters": {}}, {"factor": "bn_placement", "label": "before", "name": "before", "parameters": {"momentum": 0.1, "eps": 1e-05}}], "replicate": 0, "data": {"name": "digits", "root": null, "limit": 100, "validation": 0.1, "mirror_keeps_labels": null, "size": null, "parameters": {}}, "model": {"name": "vgg", "depth": 11, "width": 0.03125, "dropout": 0.0, "parameters": {}}, "train": {"epochs": 2, "batch_size": 50, "target": 0.5, "label_smoothing": 0.0, "seed": 0, "precision": "fp32", "memory_format": "channels_last", "threads": 1, "deterministic": true, "time_limit": 600.0, "checkpoint_epochs": null, "checkpoint_minutes": 10.0}, "plugins": [], "data_identity": "digits/1", "code": []}');
INSERT INTO "cell_contents" VALUES(1,'4554e3658c14f8c5','{"levels": [{"factor": "init", "label": "xavier", "name": "xavier", "parameters": {}}, {"factor": "optimizer", "label": "sgd", "name": "sgd", "parameters": {"lr": 0.1, "weight_decay": 0.0005}}], "held": [{"factor": "augmentation", "label": "none", "name": "none", "parameters": {}}, {"factor": "scheduler", "label": "constant", "name": "constant", "parameters": {}}, {"factor": "bn_placement", "label": "before", "name": "before", "parameters": {"momentum": 0.1, "eps": 1e-05}}], "replicate": 0, "data": {"name": "digits", "root": null, "limit": 100, "validation": 0.1, "mirror_keeps_labels": null, "size": null, "parameters": {}}, "model": {"name": "vgg", "depth": 11, "width": 0.03125, "dropout": 0.0, "parameters": {}}, "train": {"epochs": 2, "batch_size": 50, "target": 0.5, "label_smoothing": 0.0, "seed": 0, "precision": "fp32", "memory_format": "channels_last", "threads": 1, "deterministic": true, "time_limit": 600.0, "checkpoint_epochs": null, "checkpoint_minutes": 10.0}, "plugins": [], "data_identity": "digits/1", "code": []}');
INSERT INTO "cell_contents" VALUES(1,'a0649939830a78bf','{"levels": [{"factor": "init", "label": "xavier", "name": "xavier", "parameters": {}}, {"factor": "optimizer", "label": "adam", "name": "adam", "parameters": {"lr": 0.001, "weight_decay": 0.0, "beta1": 0.9, "beta2": 0.999}}], "held": [{"factor": "augmentation", "label": "none", "name": "none", "parameters": {}}, {"factor": "scheduler", "label": "constant", "name": "constant", "parameters": {}}, {"factor": "bn_placement", "label": "before", "name": "before", "parameters": {"momentum": 0.1, "eps": 1e-05}}], "replicate": 0, "data": {"name": "digits", "root": null, "limit": 100, "validation": 0.1, "mirror_keeps_labels": null, "size": null, "parameters": {}}, "model": {"name": "vgg", "depth": 11, "width": 0.03125, "dropout": 0.0, "parameters": {}}, "train": {"epochs": 2, "batch_size": 50, "target": 0.5, "label_smoothing": 0.0, "seed": 0, "precision": "fp32", "memory_format": "channels_last", "threads": 1, "deterministic": true, "time_limit": 600.0, "checkpoint_epochs": null, "checkpoint_minutes": 10.0}, "plugins": [], "data_identity": "digits/1", "code": []}');
CREATE TABLE cells (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	cell VARCHAR(16) NOT NULL, 
	replicate INTEGER NOT NULL, 
	run_order INTEGER NOT NULL, 
	planned BOOLEAN NOT NULL, 
	labels TEXT NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	status VARCHAR(16), 
	reason VARCHAR(16), 
	detail TEXT, 
	claims INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	token VARCHAR(32), 
	beats INTEGER NOT NULL, 
	lease_seconds FLOAT, 
	progress_epoch INTEGER, 
	progress_accuracy FLOAT, 
	test_accuracy FLOAT, 
	test_loss FLOAT, 
	best_validation_accuracy FLOAT, 
	final_validation_accuracy FLOAT, 
	seconds FLOAT, 
	cpu_seconds FLOAT, 
	test_correct BIGINT, 
	n_test BIGINT, 
	classes BIGINT, 
	epochs_to_target BIGINT, 
	epochs_run BIGINT, 
	epochs_budget BIGINT, 
	diverged_epoch BIGINT, 
	peak_memory_bytes BIGINT, 
	parameters BIGINT, 
	train_images BIGINT, 
	notes TEXT, 
	adopted_from INTEGER, 
	PRIMARY KEY (id), 
	UNIQUE (study_id, cell), 
	FOREIGN KEY(study_id) REFERENCES ablation_studies (id), 
	FOREIGN KEY(adopted_from) REFERENCES cells (id)
);
INSERT INTO "cells" VALUES(1,1,'7f7b60f6fb3c95fc',0,0,1,'{"init":"he","optimizer":"adam"}','complete','stalled',NULL,NULL,1,0,'898bc181256f9d41dcd8748ae3a626b9',0,60.0,NULL,NULL,1.05849582172701947579e-01,2.33191793542718484033e+00,0.1,0.0,1.99280580000049667432e-01,0.070124251,38,359,10,NULL,2,2,NULL,657162240,9396,90,'[]',NULL);
INSERT INTO "cells" VALUES(2,1,'857d5ecf59927e80',0,1,1,'{"init":"he","optimizer":"sgd"}','complete','stalled',NULL,NULL,1,0,'20f2568b23a683651be19d7293d3aa06',0,60.0,NULL,NULL,1.03064066852367686166e-01,3.307877819518192819e+00,0.1,0.1,1.81831971999599772971e-01,0.066889108,37,359,10,NULL,2,2,NULL,657530880,9396,90,'[]',NULL);
INSERT INTO "cells" VALUES(3,1,'4554e3658c14f8c5',0,2,1,'{"init":"xavier","optimizer":"sgd"}','complete','learned',NULL,NULL,1,0,'f3bb574fb1f3dc8bb977ec26d20dc6e7',0,60.0,NULL,NULL,1.55988857938718666895e-01,2.2977033099756267731e+00,0.2,0.2,1.63855134999721485655e-01,7.00370499999999895912e-02,56,359,10,NULL,2,2,NULL,656683008,9396,90,'[]',NULL);
INSERT INTO "cells" VALUES(4,1,'a0649939830a78bf',0,3,1,'{"init":"xavier","optimizer":"adam"}','complete','stalled',NULL,NULL,1,0,'0e5eb361538e2a62865289d912edb353',0,60.0,NULL,NULL,1.00278551532033424753e-01,2.30185892854228324466e+00,0.1,0.1,0.171717653000087,6.63149520000000103348e-02,36,359,10,NULL,2,2,NULL,657354752,9396,90,'[]',NULL);
CREATE TABLE epochs (
	cell_id INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	train_loss FLOAT, 
	train_accuracy FLOAT, 
	validation_loss FLOAT, 
	validation_accuracy FLOAT, 
	learning_rate FLOAT, 
	gradient_norm FLOAT, 
	seconds FLOAT, 
	images_per_second FLOAT, 
	PRIMARY KEY (cell_id, epoch), 
	FOREIGN KEY(cell_id) REFERENCES cells (id)
);
INSERT INTO "epochs" VALUES(1,1,3.24891376495361328125e+00,0.08,2.35669784545898419736e+00,0.1,0.001,1.41236896514892578129e+01,7.99327880004057078622e-02,7.36171905204341555858e+02);
INSERT INTO "epochs" VALUES(1,2,3.10249423980712890625e+00,0.08,2.33762416839599618256e+00,0.0,0.001,1.1484754562377929687e+01,4.28881139996519777923e-02,1.2224851896509335347e+03);
INSERT INTO "epochs" VALUES(2,1,3.24891376495361328125e+00,0.08,4.35808715820312464472e+00,0.1,0.1,1.41236896514892578129e+01,6.02827120001165894791e-02,9.95729852349471343617e+02);
INSERT INTO "epochs" VALUES(2,2,2.8564453125,0.1,3.23776893615722638486e+00,0.1,0.1,6.97138118743896484375e+00,2.05556689998047659173e-02,2.69910414036533074979e+03);
INSERT INTO "epochs" VALUES(3,1,3.13045907020568847656e+00,0.16,2.30526065826416,0.0,0.1,9.1067533493042,0.0650399539999853,8.50240334027471135382e+02);
INSERT INTO "epochs" VALUES(3,2,2.49448871612548828125e+00,0.2,2.29743232727050772368e+00,0.2,0.1,5.73166608810424804687e+00,1.99052380003195139579e-02,2.80217255799204895084e+03);
INSERT INTO "epochs" VALUES(4,1,3.13045907020568847656e+00,0.16,2.29838218688964834868e+00,0.1,0.001,9.1067533493042,6.40650269997422583401e-02,9.56085282042856647415e+02);
INSERT INTO "epochs" VALUES(4,2,2.74795126914978027343e+00,0.14,2.29813995361328116118e+00,0.1,0.001,7.74090337753295898437e+00,2.89884330004497314803e-02,2.80555684293657441232e+03);
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'old-default-8df428');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MAXIMIZE',1,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_user_attributes" VALUES(1,1,'profile','"default"');
INSERT INTO "study_user_attributes" VALUES(2,1,'claims','[]');
INSERT INTO "study_user_attributes" VALUES(3,1,'environment c0880f7a','{"versions": {"python": "3.11.7", "ablation-grid-runner": "0.1.0", "torch": "2.14.1", "torchvision": "0.29.1", "numpy": "2.4.6", "optuna": "5.0.0", "sqlalchemy": "2.1.9", "pandas": "3.1.1", "scikit-learn": "1.9.1"}, "system": "Linux", "processor": "a processor"}');
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,1,0.1,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,2,0.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,2,1,0.1,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,2,0.1,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,3,1,0.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,3,2,0.2,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,4,1,0.1,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,4,2,0.1,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'init',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["he", "xavier"]}}');
INSERT INTO "trial_params" VALUES(2,1,'optimizer',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd"]}}');
INSERT INTO "trial_params" VALUES(3,1,'replicate',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["0"]}}');
INSERT INTO "trial_params" VALUES(4,2,'init',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["he", "xavier"]}}');
INSERT INTO "trial_params" VALUES(5,2,'optimizer',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd"]}}');
INSERT INTO "trial_params" VALUES(6,2,'replicate',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["0"]}}');
INSERT INTO "trial_params" VALUES(7,3,'init',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["he", "xavier"]}}');
INSERT INTO "trial_params" VALUES(8,3,'optimizer',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd"]}}');
INSERT INTO "trial_params" VALUES(9,3,'replicate',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["0"]}}');
INSERT INTO "trial_params" VALUES(10,4,'init',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["he", "xavier"]}}');
INSERT INTO "trial_params" VALUES(11,4,'optimizer',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd"]}}');
INSERT INTO "trial_params" VALUES(12,4,'replicate',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["0"]}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'cell','"7f7b60f6fb3c95fc"');
INSERT INTO "trial_user_attributes" VALUES(2,1,'attempt','1');
INSERT INTO "trial_user_attributes" VALUES(3,1,'worker','"host:1"');
INSERT INTO "trial_user_attributes" VALUES(4,1,'slot','"cpu/0"');
INSERT INTO "trial_user_attributes" VALUES(5,1,'host','"host"');
INSERT INTO "trial_user_attributes" VALUES(6,1,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(7,1,'commit','"78c2f21fa13c37ecfc195f63a34bee141bd816d9"');
INSERT INTO "trial_user_attributes" VALUES(8,1,'dirty','false');
INSERT INTO "trial_user_attributes" VALUES(9,1,'spec','"b3788c276e56475e"');
INSERT INTO "trial_user_attributes" VALUES(10,1,'environment','"c0880f7a"');
INSERT INTO "trial_user_attributes" VALUES(11,2,'cell','"857d5ecf59927e80"');
INSERT INTO "trial_user_attributes" VALUES(12,2,'attempt','1');
INSERT INTO "trial_user_attributes" VALUES(13,2,'worker','"host:1"');
INSERT INTO "trial_user_attributes" VALUES(14,2,'slot','"cpu/1"');
INSERT INTO "trial_user_attributes" VALUES(15,2,'host','"host"');
INSERT INTO "trial_user_attributes" VALUES(16,2,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(17,2,'commit','"78c2f21fa13c37ecfc195f63a34bee141bd816d9"');
INSERT INTO "trial_user_attributes" VALUES(18,2,'dirty','false');
INSERT INTO "trial_user_attributes" VALUES(19,2,'spec','"b3788c276e56475e"');
INSERT INTO "trial_user_attributes" VALUES(20,2,'environment','"c0880f7a"');
INSERT INTO "trial_user_attributes" VALUES(21,3,'cell','"4554e3658c14f8c5"');
INSERT INTO "trial_user_attributes" VALUES(22,3,'attempt','1');
INSERT INTO "trial_user_attributes" VALUES(23,3,'worker','"host:1"');
INSERT INTO "trial_user_attributes" VALUES(24,3,'slot','"cpu/0"');
INSERT INTO "trial_user_attributes" VALUES(25,3,'host','"host"');
INSERT INTO "trial_user_attributes" VALUES(26,3,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(27,3,'commit','"78c2f21fa13c37ecfc195f63a34bee141bd816d9"');
INSERT INTO "trial_user_attributes" VALUES(28,3,'dirty','false');
INSERT INTO "trial_user_attributes" VALUES(29,3,'spec','"b3788c276e56475e"');
INSERT INTO "trial_user_attributes" VALUES(30,3,'environment','"c0880f7a"');
INSERT INTO "trial_user_attributes" VALUES(31,4,'cell','"a0649939830a78bf"');
INSERT INTO "trial_user_attributes" VALUES(32,4,'attempt','1');
INSERT INTO "trial_user_attributes" VALUES(33,4,'worker','"host:1"');
INSERT INTO "trial_user_attributes" VALUES(34,4,'slot','"cpu/1"');
INSERT INTO "trial_user_attributes" VALUES(35,4,'host','"host"');
INSERT INTO "trial_user_attributes" VALUES(36,4,'device','"cpu"');
INSERT INTO "trial_user_attributes" VALUES(37,4,'commit','"78c2f21fa13c37ecfc195f63a34bee141bd816d9"');
INSERT INTO "trial_user_attributes" VALUES(38,4,'dirty','false');
INSERT INTO "trial_user_attributes" VALUES(39,4,'spec','"b3788c276e56475e"');
INSERT INTO "trial_user_attributes" VALUES(40,4,'environment','"c0880f7a"');
INSERT INTO "trial_user_attributes" VALUES(41,1,'status','"stalled"');
INSERT INTO "trial_user_attributes" VALUES(42,1,'seconds','0.19928058000004967');
INSERT INTO "trial_user_attributes" VALUES(43,1,'best_validation_accuracy','0.1');
INSERT INTO "trial_user_attributes" VALUES(44,1,'final_validation_accuracy','0.0');
INSERT INTO "trial_user_attributes" VALUES(45,1,'test_loss','2.331917935427185');
INSERT INTO "trial_user_attributes" VALUES(46,1,'epochs_run','2');
INSERT INTO "trial_user_attributes" VALUES(47,1,'parameters','9396');
INSERT INTO "trial_user_attributes" VALUES(48,1,'peak_memory_bytes','657162240');
INSERT INTO "trial_user_attributes" VALUES(49,2,'status','"stalled"');
INSERT INTO "trial_user_attributes" VALUES(50,2,'seconds','0.18183197199959977');
INSERT INTO "trial_user_attributes" VALUES(51,2,'best_validation_accuracy','0.1');
INSERT INTO "trial_user_attributes" VALUES(52,2,'final_validation_accuracy','0.1');
INSERT INTO "trial_user_attributes" VALUES(53,2,'test_loss','3.307877819518193');
INSERT INTO "trial_user_attributes" VALUES(54,2,'epochs_run','2');
INSERT INTO "trial_user_attributes" VALUES(55,2,'parameters','9396');
INSERT INTO "trial_user_attributes" VALUES(56,2,'peak_memory_bytes','657530880');
INSERT INTO "trial_user_attributes" VALUES(57,3,'status','"learned"');
INSERT INTO "trial_user_attributes" VALUES(58,3,'seconds','0.16385513499972149');
INSERT INTO "trial_user_attributes" VALUES(59,3,'best_validation_accuracy','0.2');
INSERT INTO "trial_user_attributes" VALUES(60,3,'final_validation_accuracy','0.2');
INSERT INTO "trial_user_attributes" VALUES(61,3,'test_loss','2.2977033099756268');
INSERT INTO "trial_user_attributes" VALUES(62,3,'epochs_run','2');
INSERT INTO "trial_user_attributes" VALUES(63,3,'parameters','9396');
INSERT INTO "trial_user_attributes" VALUES(64,3,'peak_memory_bytes','656683008');
INSERT INTO "trial_user_attributes" VALUES(65,4,'status','"stalled"');
INSERT INTO "trial_user_attributes" VALUES(66,4,'seconds','0.171717653000087');
INSERT INTO "trial_user_attributes" VALUES(67,4,'best_validation_accuracy','0.1');
INSERT INTO "trial_user_attributes" VALUES(68,4,'final_validation_accuracy','0.1');
INSERT INTO "trial_user_attributes" VALUES(69,4,'test_loss','2.3018589285422832');
INSERT INTO "trial_user_attributes" VALUES(70,4,'epochs_run','2');
INSERT INTO "trial_user_attributes" VALUES(71,4,'parameters','9396');
INSERT INTO "trial_user_attributes" VALUES(72,4,'peak_memory_bytes','657354752');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,1.05849582172701947579e-01,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,1.03064066852367686166e-01,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,1.55988857938718666895e-01,'FINITE');
INSERT INTO "trial_values" VALUES(4,4,0,1.00278551532033424753e-01,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-29 00:56:23.849602','2026-11-29 00:56:24.348909');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-29 00:56:23.862127','2026-11-29 00:56:24.352317');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-29 00:56:24.356452','2026-11-29 00:56:24.728029');
INSERT INTO "trials" VALUES(4,3,1,'COMPLETE','2026-11-29 00:56:24.370375','2026-11-29 00:56:24.756659');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE INDEX cells_adopted ON cells (study_id) WHERE adopted_from IS NOT NULL;
CREATE INDEX cells_waiting ON cells (study_id, run_order, id) WHERE state = 'waiting' AND planned;
CREATE UNIQUE INDEX cells_token ON cells (token);
CREATE INDEX cells_running ON cells (study_id, token) WHERE state = 'running';
CREATE INDEX attempts_to_mirror ON attempts (study_id, id) WHERE NOT mirrored;
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
